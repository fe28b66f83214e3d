import CLinux
import Libc
import Platform

/// Who is in a running container: the processes in its mount namespace and whatever descends from them.
package enum Membership {
    /// Process numbers as the given `/proc` shows them.
    package static func processes(
        in proc: borrowing Directory, mountNamespace: UInt64, except own: pid_t
    ) throws -> [pid_t] {
        let wanted = "mnt:[\(mountNamespace)]"
        var members: [pid_t] = []
        for entry in try proc.entries() where entry.name.bytes.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let pid = pid_t(entry.name.text), pid != own else { continue }
            var buffer = [CChar](repeating: 0, count: 64)
            // One path below our own descriptor: the components are the kernel's.
            let count = readlinkat(proc.raw, "\(pid)/ns/mnt", &buffer, buffer.count)
            guard count > 0, String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) == wanted
            else { continue }
            members.append(pid)
        }
        return members
    }

    /// The same, each held by a pidfd; one that has ended meanwhile is left out.
    static func handles(
        in proc: borrowing Directory, mountNamespace: UInt64, except own: pid_t
    ) throws -> HeldProcesses {
        HeldProcesses(try processes(in: proc, mountNamespace: mountNamespace, except: own))
    }
}

/// Processes held by their pidfds.
struct HeldProcesses: ~Copyable {
    private var entries: [pollfd] = []
    private let withoutPidfd: Bool

    init(_ pids: [pid_t]) {
        var missing = false
        for pid in pids {
            let descriptor = cd_pidfd_open(pid)
            if descriptor >= 0 {
                entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            } else if errno != ESRCH {
                missing = true
            }
        }
        withoutPidfd = missing
    }

    deinit { for entry in entries { close(entry.fd) } }

    var isEmpty: Bool { entries.isEmpty && !withoutPidfd }

    /// Blocks until one of them ends; on a kernel without pidfds, for a second.
    mutating func waitForOne() {
        _ = poll(&entries, nfds_t(entries.count), withoutPidfd ? 1000 : -1)
    }
}
