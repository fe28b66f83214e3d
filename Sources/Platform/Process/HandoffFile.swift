import CLinux
import Libc

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
