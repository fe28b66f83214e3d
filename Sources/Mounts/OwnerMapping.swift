import CLinux
import Libc
import Platform

/// Whose files of the host a bind shows as whose: two owners change places, all others stay themselves.
///
/// The kernel does it (mount_setattr(2), "ID-mapped mounts"), so no file changes and what the guest makes belongs to
/// the host's user.
package struct OwnerMapping: Hashable, Sendable {
    package let hostUser: uid_t
    package let hostGroup: gid_t
    package let guestUser: uid_t
    package let guestGroup: gid_t

    package init(hostUser: uid_t, hostGroup: gid_t, guestUser: uid_t, guestGroup: gid_t) {
        self.hostUser = hostUser
        self.hostGroup = hostGroup
        self.guestUser = guestUser
        self.guestGroup = guestGroup
    }

    /// A user namespace that says so, as `mount_setattr` takes it; the descriptor keeps it.
    func namespace() throws(SystemError) -> FileDescriptor {
        let pipe = try Pipe()
        let pid = try Fork.child {
            _ = cd_set_parent_death_signal(SIGKILL)
            if cd_unshare(cd_clone_newuser) < 0 {
                var code = UInt8(truncatingIfNeeded: errno)
                _ = write(pipe.raw.writing, &code, 1)
                return .failure
            }
            close(pipe.raw.writing)
            while true { pause() }
        }
        defer {
            kill(pid, SIGKILL)
            _ = try? Reaping.wait(for: pid)
        }
        // Ends without a word when the child has its namespace.
        if let code = try pipe.readEnd().readAll(limit: 1).first {
            throw SystemError("unshare", code: Int32(code))
        }
        try Self.put(Self.lines(hostUser, guestUser), in: HostPath("/proc/\(pid)/uid_map"))
        try Self.put(Self.lines(hostGroup, guestGroup), in: HostPath("/proc/\(pid)/gid_map"))
        return try FileDescriptor.open(HostPath("/proc/\(pid)/ns/user"), O_RDONLY)
    }

    private static func put(_ text: String, in path: HostPath) throws(SystemError) {
        try FileDescriptor.open(path, O_WRONLY).writeAll(text)
    }

    /// One past the largest id there is; the number itself means "none".
    private static let end: UInt32 = .max

    /// The lines of a `uid_map` in which two ids change places (user_namespaces(7)).
    package static func lines(_ one: UInt32, _ other: UInt32) -> String {
        guard one != other else { return "0 0 \(end)\n" }
        let (low, high) = (min(one, other), max(one, other))
        let ranges: [(from: UInt32, to: UInt32, count: UInt32)] = [
            (0, 0, low), (low, high, 1), (low + 1, low + 1, high - low - 1), (high, low, 1),
            (high + 1, high + 1, end - high - 1),
        ]
        return ranges.filter { $0.count > 0 }.map { "\($0.from) \($0.to) \($0.count)\n" }.joined()
    }
}
