import Platform

/// A file of this host or of a container, as it is written on a command line: `PATH` or `NAME:PATH`.
///
/// The rule is that of scp(1): the text before the first colon is a container, unless there is a slash in it.
package struct FilePlace: Hashable, Sendable {
    /// Whose file it is.
    package enum Room: Hashable, Sendable {
        case host
        case container(ContainerName)
    }

    package let room: Room
    /// From the root of the room.
    package let path: GuestPath
    /// Whether it is spelled as only a directory can be: with a slash, `.` or `..` at its end, or as the root.
    package let namesDirectory: Bool
    /// What goes somewhere else under this name; `nil` for a directory that was spelled without one.
    package let ownName: RawString?
    /// As it was written.
    package let text: RawString

    /// Reads a word.
    ///
    /// Relative paths of this host begin at `workingDirectory`, where that is known, and those in a container at its
    /// root. `~/` at the beginning is `home`.
    package init(
        _ word: RawString, workingDirectory: RawString?, home: RawString?
    ) throws(FilePlaceError) {
        text = word
        let bytes = word.bytes
        guard !bytes.isEmpty else { throw .empty }
        let colon = bytes.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }
        if let colon, bytes[colon] == UInt8(ascii: ":") {
            room = .container(try Self.container(bytes[..<colon], word))
            let inside = RawString(bytes: bytes[(colon + 1)...]) ?? ""
            path = GuestPath(inside)
            guard !Self.climbsOut(path) else { throw .climbsOut(word) }
            (namesDirectory, ownName) = Self.spelling(inside)
        } else {
            room = .host
            path = try Self.hostPath(word, workingDirectory, home)
            (namesDirectory, ownName) = Self.spelling(word)
        }
    }

    /// The container it is in.
    package var container: ContainerName? {
        guard case .container(let name) = room else { return nil }
        return name
    }

    private static func container(
        _ bytes: ArraySlice<UInt8>, _ word: RawString
    ) throws(FilePlaceError) -> ContainerName {
        guard let text = String(validating: bytes, as: UTF8.self), let name = try? ContainerName(text) else {
            throw .badContainer(RawString(bytes: bytes) ?? "", word)
        }
        return name
    }

    private static func hostPath(
        _ word: RawString, _ workingDirectory: RawString?, _ home: RawString?
    ) throws(FilePlaceError) -> GuestPath {
        let path = GuestPath(word)
        if word.bytes.first == UInt8(ascii: "/") { return path }
        if word.bytes.first == UInt8(ascii: "~"), path.components.first == "~", let home {
            return GuestPath(components: GuestPath(home).components + path.components.dropFirst())
        }
        guard let workingDirectory, workingDirectory.bytes.first == UInt8(ascii: "/") else {
            throw .noWorkingDirectory(word)
        }
        return GuestPath(components: GuestPath(workingDirectory).components + path.components)
    }

    private static func spelling(_ path: RawString) -> (namesDirectory: Bool, ownName: RawString?) {
        let last = path.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last ?? []
        let name = RawString(bytes: last) ?? ""
        guard ["", ".", ".."].contains(name) else { return (false, name) }
        // `dir/` has the name `dir`, but `dir/.` and `dir/..` have none.
        let trimmed = path.bytes.reversed().drop { $0 == UInt8(ascii: "/") }.prefix {
            $0 != UInt8(ascii: "/")
        }
        let stem = RawString(bytes: trimmed.reversed()) ?? ""
        return (true, ["", ".", ".."].contains(stem) ? nil : stem)
    }

    /// Whether its text leads above the root, which a guest's own programs could not tell from the root itself.
    private static func climbsOut(_ path: GuestPath) -> Bool {
        var depth = 0
        for component in path.components {
            depth += component == ".." ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }
}

extension FilePlace: CustomStringConvertible {
    package var description: String { text.description }
}

/// A word that cannot be read as a place.
package enum FilePlaceError: UserFacing, Equatable {
    case empty
    case badContainer(RawString, RawString)
    case climbsOut(RawString)
    case noWorkingDirectory(RawString)

    package var message: String {
        switch self {
        case .empty: "the path is empty"
        case .badContainer(let name, let word):
            name.bytes.isEmpty
                ? "\(word): the name of a container is missing before the colon"
                : "\(word): \(name) cannot be the name of a container"
        case .climbsOut(let word): "\(word) leads out of the container"
        case .noWorkingDirectory(let word): "\(word): it is not known where relative paths begin"
        }
    }

    package var hint: String? {
        switch self {
        case .empty: nil
        case .badContainer(_, let word): "A file of this host with a colon in its name is written ./\(word)"
        case .climbsOut: "Paths in a container begin at its root: NAME:/etc/hosts"
        case .noWorkingDirectory: "Write the whole path, from / on."
        }
    }
}
