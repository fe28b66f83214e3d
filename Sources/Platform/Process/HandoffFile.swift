import CLinux
import Libc

/// The name under which root finds an open file of another process: `/proc/PID/fd/N`.
package struct ForeignDescriptor: Hashable, Sendable {
    package let pid: pid_t
    package let number: Int32

    package init(pid: pid_t, number: Int32) {
        self.pid = pid
        self.number = number
    }

    /// Only the exact spelling of `description`.
    package init?(_ text: RawString) {
        let parts = text.text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "proc", parts[3] == "fd",
            let pid = pid_t(parts[2]), pid > 0, let number = Int32(parts[4]), number >= 0
        else { return nil }
        self.init(pid: pid, number: number)
        guard RawString(description) == text else { return nil }
    }

    /// The effective user that the process runs as.
    ///
    /// Not the owner of `/proc/PID`: that is root for a program that its user may execute but not read.
    package func owner() throws(SystemError) -> uid_t {
        let status = try FileDescriptor.open(HostPath("/proc/\(pid)/status"), O_RDONLY).readAll(limit: 65536)
        let line = status.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "Uid:".utf8) } ?? []
        let fields = line.split(separator: UInt8(ascii: "\t"))
        guard fields.count > 2, let uid = uid_t(String(decoding: fields[2], as: UTF8.self)) else {
            throw SystemError("open", "/proc/\(pid)/status", code: ENODATA)
        }
        return uid
    }

    /// Opens the file a second time, once it has turned out to be what it should be.
    ///
    /// Whoever names the descriptor chooses what is behind it, and opening a device can have effects: so it is
    /// looked at before it is opened for reading.
    package func open(_ isRight: (FileStatus, Int) -> Bool) throws(SystemError) -> FileDescriptor {
        let place = try FileDescriptor.open(HostPath(description), cd_o_path)
        guard isRight(try place.status(), cd_filesystem_type(place.rawValue)) else {
            throw SystemError("open", description, code: EINVAL)
        }
        return try FileDescriptor.open(HostPath(place.procPath), O_RDONLY | O_NONBLOCK | O_NOCTTY)
    }
}

extension ForeignDescriptor: CustomStringConvertible {
    package var description: String { "/proc/\(pid)/fd/\(number)" }
}

extension Handoff {
    /// Longer than all arguments and variables that the kernel lets a process have.
    private static let sizeLimit = 16 << 20

    /// TMPFS_MAGIC (statfs(2)): where memfds are.
    private static let tmpfsMagic = 0x0102_1994

    /// Reads the handoff of another process.
    ///
    /// It must be a sealed memfd that the user of that process made, and that user must be the one whom `declared`
    /// names, when the elevation tool has named anybody.
    package init(from source: ForeignDescriptor, declared: uid_t?) throws {
        let owner = try source.owner()
        let file = try source.open { status, filesystem in
            status.kind == .regular && status.links == 0 && filesystem == Self.tmpfsMagic
                && status.owner == owner
        }
        guard cd_memfd_is_sealed(file.rawValue) else { throw ElevationError.badHandoff("it is not sealed") }
        if let declared, declared != owner {
            throw ElevationError.badHandoff("it is of user \(owner), but user \(declared) asked to be root")
        }
        guard let handoff = Handoff(decoding: try file.readAll(limit: Self.sizeLimit), invokingUID: owner)
        else {
            throw ElevationError.badHandoff("it is damaged")
        }
        self = handoff
    }

    /// Has this process end, by SIGTERM, when the invoking one says so or dies.
    ///
    /// A user may not signal what runs as root, so the invoking process writes into a pipe instead and the kernel
    /// turns that into a signal. The descriptor stays open as long as this process lives.
    func followInvoker(_ source: ForeignDescriptor) {
        let pipe = ForeignDescriptor(pid: source.pid, number: relay)
        guard relay >= 0,
            let opened = try? pipe.open({ status, _ in status.kind == .fifo && status.owner == invokingUID })
        else { return }
        let descriptor = opened.release()
        _ = cd_signal_when_readable(descriptor, SIGTERM)
        // What came before that call has sent no signal.
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&entry, 1, 0) > 0 { raise(SIGTERM) }
    }
}
