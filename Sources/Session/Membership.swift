import CLinux
import Libc
import Platform

/// Who is in a running container: the processes in its mount namespace and whatever descends from them.
package enum Membership {
    /// The processes in a mount namespace, by their numbers in the given `/proc`.
    package static func processes(
        in proc: borrowing Directory, mountNamespace: UInt64, except own: pid_t
    ) throws(SystemError) -> [pid_t] {
        var members: [pid_t] = []
        let kernelThreads = kernelThreads(in: proc)
        for entry in try proc.entries() {
            guard let pid = pid_t(entry.name.text), pid != own, !kernelThreads.contains(pid),
                isMember(pid, of: mountNamespace, in: proc)
            else { continue }
            members.append(pid)
        }
        return members
    }

    /// The kernel's own threads, which are never in a container; empty where it does not tell which they are.
    ///
    /// Often they are most of all processes. They are the children of process 2 (proc_tid_children(5)).
    private static func kernelThreads(in proc: borrowing Directory) -> [pid_t] {
        var buffer: CChar = 0
        // In a PID namespace process 2 is like any other; a kernel thread has no program, and a zombie no children.
        guard readlinkat(proc.raw, "2/exe", &buffer, 1) < 0, errno == ENOENT else { return [] }
        let descriptor = openat(proc.raw, "2/task/2/children", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0,
            let bytes = try? FileDescriptor(adopting: descriptor).readAll(limit: 1 << 20)
        else { return [] }
        return bytes.split(separator: UInt8(ascii: " ")).compactMap {
            pid_t(String(decoding: $0, as: UTF8.self))
        }
    }

    static func isMember(_ pid: pid_t, of mountNamespace: UInt64, in proc: borrowing Directory) -> Bool {
        var buffer = [CChar](repeating: 0, count: 64)
        // A path below our own descriptor, of which every component is the kernel's.
        let count = readlinkat(proc.raw, "\(pid)/ns/mnt", &buffer, buffer.count)
        guard count > 0 else { return false }
        return buffer[..<count].elementsEqual("mnt:[\(mountNamespace)]".utf8.map { CChar(bitPattern: $0) })
    }

    /// The processes whose root is that directory, in whatever namespace; also those of which no record is left.
    static func processes(in proc: borrowing Directory, rootedAt root: FileStatus) throws(SystemError)
        -> [pid_t]
    {
        let own = try proc.status("self/ns/mnt", following: true).inode
        let kernelThreads = kernelThreads(in: proc)
        var members: [pid_t] = []
        for entry in try proc.entries() {
            guard let pid = pid_t(entry.name.text), pid != getpid(), !kernelThreads.contains(pid),
                isRooted(pid, at: root, in: proc, ownNamespace: own)
            else { continue }
            members.append(pid)
        }
        return members
    }

    private static func isRooted(
        _ pid: pid_t, at root: FileStatus, in proc: borrowing Directory, ownNamespace: UInt64
    ) -> Bool {
        // A root that is plainly ours is not looked at: its file system may hang.
        if isMember(pid, of: ownNamespace, in: proc),
            let link = try? proc.readSymbolicLink(RawString("\(pid)/root")),
            link == "/"
        {
            return false
        }
        guard let status = try? proc.status(RawString("\(pid)/root"), following: true) else { return false }
        return status.inode == root.inode && status.device == root.device
    }

    /// Whether this process has a child besides the given one; true also when that cannot be known.
    static func hasChild(other known: pid_t) -> Bool {
        let path = HostPath("/proc/self/task/\(getpid())/children")
        guard let file = try? FileDescriptor.open(path, O_RDONLY),
            let bytes = try? file.readAll(limit: 1 << 16)
        else { return true }
        return bytes.split(separator: UInt8(ascii: " ")).contains {
            pid_t(String(decoding: $0, as: UTF8.self)) != known
        }
    }

    /// The command of each of the sessions, by the number of its supervisor: its oldest child but the holder.
    static func guests(
        of supervisors: [ProcessIdentity], except holder: pid_t?
    ) throws(SystemError) -> [pid_t: pid_t] {
        let alive = Set(supervisors.filter(\.isAlive).map(\.pid))
        var found: [pid_t: (pid: pid_t, start: UInt64)] = [:]
        for entry in try Directory.open("/proc").entries() {
            guard let pid = pid_t(entry.name.text), pid != holder, let status = ProcessStatus(of: pid),
                alive.contains(status.parent), !status.hasEnded
            else { continue }
            // What a guest left behind is its supervisor's child too, but younger.
            if let other = found[status.parent], (other.start, other.pid) < (status.startTime, pid) {
                continue
            }
            found[status.parent] = (pid, status.startTime)
        }
        return found.mapValues(\.pid)
    }

    /// All processes that descend from the given ones, as the host's `/proc` shows them.
    package static func descendants(of roots: [pid_t]) throws(SystemError) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for entry in try Directory.open("/proc").entries() {
            guard let pid = pid_t(entry.name.text), let status = ProcessStatus(of: pid), !status.hasEnded
            else {
                continue
            }
            children[status.parent, default: []].append(pid)
        }
        var found: [pid_t] = []
        var waiting = roots
        while let next = waiting.popLast() {
            let below = children[next] ?? []
            found += below
            waiting += below
        }
        return found
    }
}

/// Processes held by their pidfds, so that a signal can reach nobody else.
struct HeldProcesses: ~Copyable {
    private let entries: [pollfd]
    /// On a kernel without pidfds.
    private let numbers: [pid_t]

    /// Takes hold of those that `isStill` confirms once they are held; those that have ended are left out.
    init(_ pids: [pid_t], isStill: (pid_t) -> Bool) {
        var entries: [pollfd] = []
        var numbers: [pid_t] = []
        for pid in pids {
            let descriptor = cd_pidfd_open(pid)
            let code = errno
            if descriptor >= 0 {
                if isStill(pid) {
                    entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
                } else {
                    close(descriptor)
                }
            } else if code != ESRCH, isStill(pid) {
                numbers.append(pid)
            }
        }
        self.entries = entries
        self.numbers = numbers
    }

    deinit { for entry in entries { close(entry.fd) } }

    var isEmpty: Bool { entries.isEmpty && numbers.isEmpty }
    var count: Int { entries.count + numbers.count }

    func signal(_ number: Int32) {
        for entry in entries { _ = cd_pidfd_send_signal(entry.fd, number) }
        for pid in numbers { kill(pid, number) }
    }

    /// Blocks until all have ended, but no longer than about the given time; false when one has not.
    func waitForAll(milliseconds: Int32) -> Bool {
        for pid in numbers where ProcessStatus(of: pid)?.hasEnded == false {
            _ = poll(nil, 0, min(milliseconds, 20))
            return false
        }
        for entry in entries {
            var entry = entry
            if poll(&entry, 1, milliseconds) == 0 { return false }
        }
        return true
    }

    /// Blocks until one of them ends, but no longer than the given time; -1 is for ever.
    func waitForOne(milliseconds: Int32 = -1) {
        var entries = entries
        let limit: Int32 = numbers.isEmpty ? -1 : 1000
        let timeout = limit < 0 ? milliseconds : milliseconds < 0 ? limit : min(limit, milliseconds)
        _ = poll(&entries, nfds_t(entries.count), timeout)
    }
}
