import Archive
import Platform

/// How a backup is to be made.
struct BackupOptions {
    /// `nil`: what the name of the file says.
    var format: Compression?
    /// The backup since which changes are to be written; `nil`: everything is.
    var base: BackupFile?
    /// Whether everything belongs to user and group 0.
    var hasZeroOwners = false
    var verifies = false
    /// Whether a running container goes on meanwhile.
    var isLive = false
    var isVerbose = false

    /// How a file of that name is compressed; a name that says nothing means an archive as it is.
    func format(of path: HostPath?) throws(BackupError) -> Compression {
        if let format { return format }
        guard let path else { return .none }
        let name = path.lastComponent.lowercased()
        for suffix in [".lz4", ".lz", ".lzo", ".br", ".zip", ".7z"] where name.hasSuffix(suffix) {
            throw .format(suffix)
        }
        return Compression.suffix(of: name) ?? .none
    }
}
