import Libc

extension Directory {
    /// Replaces the file `name` in one step: a temporary file is written, flushed and renamed over it.
    ///
    /// A crash at any moment leaves the old content or the new. Temporary names start with `.tmp-`; `sweep` of the
    /// store removes those that a killed process left.
    package func replaceFile(
        _ name: RawString, with bytes: [UInt8], mode: mode_t = 0o644, owner: (uid_t, gid_t)? = nil,
        durable: Bool = true
    ) throws(SystemError) {
        let temporary = RawString(".tmp-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        do {
            let file = try openFile(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try file.writeAll(bytes)
            if let owner {
                try syscall("fchown", name.description) { fchown(file.rawValue, owner.0, owner.1) }
            }
            try syscall("fchmod", name.description) { fchmod(file.rawValue, mode) }
            if durable { try file.synchronize() }
            try file.close()
            try rename(temporary, to: self, name)
            if durable { try synchronize() }
        } catch {
            try? removeFile(temporary)
            throw SystemError(error.call, name.description, code: error.code)
        }
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
