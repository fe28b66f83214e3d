import CLinux
import Libc

extension Directory {
    /// Replaces the file `name` in one step: a temporary file is written, flushed and renamed over it.
    ///
    /// A crash at any moment leaves the old content or the new. Temporary names start with `.tmp-`; `sweep` of the
    /// store removes those that a killed process left. With `.failIfTaken`, `EEXIST` when there is such a file.
    package func replaceFile(
        _ name: RawString, with bytes: [UInt8], mode: mode_t = 0o644, owner: (uid_t, gid_t)? = nil,
        durable: Bool = true, _ rule: RenameRule = .replace
    ) throws(SystemError) {
        let temporary = RawString("\(Self.temporaryPrefix)\(getpid())-\(UInt32.random(in: 0 ... .max))")
        do {
            let file = try openFile(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try file.writeAll(bytes)
            if let owner {
                try syscall("fchown", name.description) { fchown(file.rawValue, owner.0, owner.1) }
            }
            try syscall("fchmod", name.description) { fchmod(file.rawValue, mode) }
            if durable { try file.synchronize() }
            try file.close()
            try rename(temporary, to: self, name, rule)
            if durable { try synchronize() }
        } catch {
            try? removeFile(temporary)
            throw SystemError(error.call, name.description, code: error.code)
        }
    }

    private static let temporaryPrefix = ".tmp-"

    /// Removes the temporary files that killed processes left; nobody may be replacing a file here meanwhile.
    package func removeTemporaryFiles() throws(SystemError) {
        for entry in try entries() where entry.name.bytes.starts(with: Self.temporaryPrefix.utf8) {
            guard try statusIfPresent(entry.name)?.kind == .regular else { continue }
            do { try removeFile(entry.name) } catch  where error.code == ENOENT {}
        }
    }

    /// A new file for reading and writing that has no name, so that nothing is left of it after any end.
    package func openNamelessFile() throws(SystemError) -> FileDescriptor {
        do {
            return try openFile(".", O_RDWR | cd_o_tmpfile, mode: 0o600)
        } catch  where [EOPNOTSUPP, EISDIR, EINVAL].contains(error.code) {
            return try openUnlinkedFile()
        }
    }

    /// The same for file systems without O_TMPFILE (open(2)): the file loses its name at once.
    func openUnlinkedFile() throws(SystemError) -> FileDescriptor {
        let name = RawString("\(Self.temporaryPrefix)\(getpid())-\(UInt32.random(in: 0 ... .max))")
        let file = try openFile(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        try removeFile(name)
        return file
    }

    /// The content of a regular file of at most `limit` bytes.
    ///
    /// A FIFO or a device in its place is refused (`EINVAL`) and never blocks.
    package func readFile(_ name: RawString, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try openFile(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard try file.status().kind == .regular else {
            throw SystemError("openat", name.description, code: EINVAL)
        }
        return try file.readAll(limit: limit)
    }
}
