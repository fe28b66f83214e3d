import CLinux
import Libc
import Platform
import Store

/// Who is in a running container: the processes in its mount namespace and whatever descends from them.
package enum Membership {
    /// What tells the processes of a container from all others: the inodes of its namespaces.
    package struct Place: Hashable, Sendable {
        package let mount: UInt64
        /// Nobody leaves this one; `nil` when the container has the host's.
        package let process: UInt64?

        package init(mount: UInt64, process: UInt64? = nil) {
            self.mount = mount
            self.process = process
        }
    }

    /// The processes of a container, by their numbers in the given `/proc`.
    package static func processes(
        in proc: borrowing Directory, of place: Place, except own: pid_t
    ) throws(SystemError) -> [pid_t] {
        var members: [pid_t] = []
        let kernelThreads = kernelThreads(in: proc)
        for entry in try proc.entries() {
            guard let pid = pid_t(entry.name.text), pid != own, !kernelThreads.contains(pid),
                isMember(pid, of: place, in: proc)
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

    /// All processes that a PID namespace's own `/proc` shows, those of namespaces within included.
    static func everybody(
        in proc: borrowing Directory, except own: pid_t
    ) throws(SystemError) -> [pid_t] {
        try proc.entries().compactMap { pid_t($0.name.text) }.filter {
            $0 != own && isRunning($0, in: proc)
        }
    }

    /// Whether any thread of the process still runs.
    static func isRunning(_ pid: pid_t, in proc: borrowing Directory) -> Bool {
        task(of: pid, in: proc) != nil
    }

    static func isMember(_ pid: pid_t, of place: Place, in proc: borrowing Directory) -> Bool {
        guard let task = task(of: pid, in: proc) else { return false }
        if namespace(task, in: proc) == "mnt:[\(place.mount)]" { return true }
        guard let process = place.process else { return false }
        return namespace(task, "pid", in: proc) == "pid:[\(process)]"
    }

    /// The directory of `/proc` that tells of a process: its own, or that of a thread that has outlived the first one.
    ///
    /// A first thread that has ended has left its namespaces, and the others still run in them.
    private static func task(of pid: pid_t, in proc: borrowing Directory) -> String? {
        if namespace("\(pid)", in: proc) != nil { return "\(pid)" }
        guard errno == ENOENT, let tasks = try? proc.openDirectory(RawString("\(pid)")).openDirectory("task"),
            let threads = try? tasks.entries()
        else { return nil }
        return threads.lazy.map { "\(pid)/task/\($0.name.text)" }.first { namespace($0, in: proc) != nil }
    }

    /// A namespace as the kernel writes it; `nil` with `errno` set when it does not tell.
    private static func namespace(
        _ task: String, _ kind: String = "mnt", in proc: borrowing Directory
    ) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        // A path below our own descriptor, of which every component is the kernel's.
        let count = readlinkat(proc.raw, "\(task)/ns/\(kind)", &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The processes whose root is that directory, in whatever namespace; also those of which no record is left.
    static func processes(in proc: borrowing Directory, rootedAt root: FileStatus) throws(SystemError)
        -> [pid_t]
    {
        let kernelThreads = kernelThreads(in: proc)
        var members: [pid_t] = []
        for entry in try proc.entries() {
            guard let pid = pid_t(entry.name.text), pid != getpid(), !kernelThreads.contains(pid),
                isRooted(pid, at: root, in: proc)
            else { continue }
            members.append(pid)
        }
        return members
    }

    static func isRooted(_ pid: pid_t, at root: FileStatus, in proc: borrowing Directory) -> Bool {
        guard let task = task(of: pid, in: proc) else { return false }
        // A root that is plainly ours is not looked at: its file system may hang.
        if namespace(task, in: proc) == namespace("self", in: proc),
            let link = try? proc.readSymbolicLink(RawString(task + "/root")),
            link == "/"
        {
            return false
        }
        var (device, inode): (UInt64, UInt64) = (0, 0)
        let code = RawString(task + "/root").withCString { cd_known_identity(proc.raw, $0, &device, &inode) }
        return code == 0 && inode == root.inode && device == root.device
    }

    /// Whether a process has a child besides the given one; true also when that cannot be known.
    static func hasChild(of parent: pid_t, other known: pid_t = 0) -> Bool {
        let path = HostPath("/proc/\(parent)/task/\(parent)/children")
        guard let file = try? FileDescriptor.open(path, O_RDONLY),
            let bytes = try? file.readAll(limit: 1 << 16)
        else { return true }
        return bytes.split(separator: UInt8(ascii: " ")).contains {
            pid_t(String(decoding: $0, as: UTF8.self)) != known
        }
    }
}

/// Processes held by their pidfds, so that a signal can reach nobody else.
struct HeldProcesses: ~Copyable {
    private let entries: [pollfd]
    /// On a kernel without pidfds, and of those for whom no descriptor is left.
    private let numbers: [pid_t]
    /// Their numbers.
    let pids: [pid_t]

    /// Descriptors that are left for all else, `isStill` included.
    private static let reserve = 48

    /// Takes hold of those that `isStill` confirms once they are held; those that have ended are left out.
    init(_ pids: [pid_t], isStill: (pid_t) -> Bool) {
        var entries: [pollfd] = []
        var numbers: [pid_t] = []
        var held: [pid_t] = []
        let room = DescriptorLimit.current - Self.reserve
        for pid in pids {
            let descriptor = entries.count < room ? cd_pidfd_open(pid) : -1
            let code = entries.count < room ? errno : EMFILE
            if descriptor >= 0 {
                if isStill(pid) {
                    entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
                    held.append(pid)
                } else {
                    close(descriptor)
                }
            } else if code != ESRCH, isStill(pid) {
                numbers.append(pid)
            }
        }
        self.entries = entries
        self.numbers = numbers
        self.pids = held + numbers
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
        let limit: Int32 = numbers.isEmpty || !entries.isEmpty ? -1 : 1000
        let timeout = limit < 0 ? milliseconds : milliseconds < 0 ? limit : min(limit, milliseconds)
        _ = poll(&entries, nfds_t(entries.count), timeout)
    }
}

extension HolderRecord {
    /// Where its processes are.
    package var place: Membership.Place {
        Membership.Place(mount: mountNamespace, process: processNamespace)
    }
}
