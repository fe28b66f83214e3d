import Libc
import Platform

extension Directory {
    /// Replaces a configuration file in one step by one that `complaint`, asked about the new file beside it, has
    /// found nothing wrong with; what it says otherwise is the error, and nothing has changed.
    ///
    /// The caller is alone at it. The temporary file has a name that sudo passes over in its directory, and what a
    /// kill left of it is replaced.
    func replaceFile(
        _ name: RawString, with text: String, mode: mode_t, path: HostPath,
        complaint: (HostPath) throws -> String?
    ) throws {
        try removeUnfinished()
        do {
            try writeUnfinished(text, mode: mode)
            if let complaint = try complaint(path.parent / Self.unfinished.text) {
                throw SetupError.brokenConfiguration(path, complaint)
            }
            try rename(Self.unfinished, to: self, name)
            try synchronize()
        } catch {
            try? removeUnfinished()
            throw error
        }
    }

    private static let unfinished: RawString = ".chroot-distro-setup.tmp"

    private func writeUnfinished(_ text: String, mode: mode_t) throws {
        let file = try openFile(Self.unfinished, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try file.writeAll(text)
        try syscall("fchown") { fchown(file.rawValue, 0, 0) }
        try syscall("fchmod") { fchmod(file.rawValue, mode) }
        try file.synchronize()
        try file.close()
    }

    /// Removes what a killed setup left.
    func removeUnfinished() throws(SystemError) {
        if try statusIfPresent(Self.unfinished) != nil { try removeFile(Self.unfinished) }
    }
}
