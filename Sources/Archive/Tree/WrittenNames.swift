import Platform

/// What a writer has written since it began, which its own removals must spare.
///
/// Names count by the directory that really holds them, so that two ways to one place through symbolic links are
/// one place.
struct WrittenNames {
    /// Directories that were written or hold something that was, however deep.
    private var directories: Set<FileIdentity> = []
    /// Hashes of everything else.
    ///
    /// The seed is different in each process: an archive cannot aim at a collision.
    private var names: Set<Int> = []

    mutating func insert(_ name: RawString, in directory: FileIdentity) {
        names.insert(Self.key(name, directory))
    }

    func contains(_ name: RawString, in directory: FileIdentity) -> Bool {
        names.contains(Self.key(name, directory))
    }

    /// False when it was known already.
    @discardableResult
    mutating func insert(directory: FileIdentity) -> Bool { directories.insert(directory).inserted }

    func contains(directory: FileIdentity) -> Bool { directories.contains(directory) }

    private static func key(_ name: RawString, _ directory: FileIdentity) -> Int {
        var hasher = Hasher()
        hasher.combine(directory)
        hasher.combine(name)
        return hasher.finalize()
    }
}
