import CLinux
import Libc
import Platform

/// The guest's end of a session's terminal.
enum GuestTerminal {
    /// The file system type of devpts (statfs(2)).
    private static let devptsMagic = 0x1cd1

    /// A pty of the container's own devpts, whose other end belongs to `owner`, an id of the host's.
    ///
    /// Programs open their terminal again by its name (tty(1), tmux), after they have become the user.
    static func open(in root: borrowing Rootfs, owner: uid_t?) throws -> Ends {
        let master = try root.open("/dev/pts/ptmx", O_RDWR | O_NOCTTY)
        // The guest rules over its own /dev: what is opened there must really be a pty multiplexer.
        let status = try master.status()
        guard status.kind == .characterDevice, status.major == 5, status.minor == 2,
            cd_filesystem_type(master.rawValue) == devptsMagic
        else { throw SystemError("open", "/dev/pts/ptmx", code: ENODEV) }
        try syscall("ioctl", "TIOCSPTLCK") { cd_pty_unlock(master.rawValue) }
        let slave = try peer(of: master, in: root)
        if let owner { try syscall("fchown", "the terminal") { fchown(slave.rawValue, owner, .max) } }
        return Ends(master: master, guest: slave)
    }

    /// Both ends of a terminal; -1 without one.
    struct Ends: ~Copyable {
        let master: FileDescriptor
        let guest: FileDescriptor

        static var none: Ends {
            Ends(master: FileDescriptor(adopting: -1), guest: FileDescriptor(adopting: -1))
        }

        /// Closes the guest's end; the caller owns the other one.
        consuming func takeMaster() -> Int32 { master.release() }
    }

    /// The other end of the pty.
    private static func peer(
        of master: borrowing FileDescriptor, in root: borrowing Rootfs
    ) throws(SystemError) -> FileDescriptor {
        let direct = cd_pty_peer(master.rawValue)
        if direct >= 0 { return FileDescriptor(adopting: direct) }
        return try named(by: master, in: root.openDirectory("/dev/pts"))
    }

    /// The other end before Linux 4.13: only by its name, where the guest may have put something else.
    static func named(
        by master: borrowing FileDescriptor, in directory: borrowing Directory
    ) throws(SystemError) -> FileDescriptor {
        let number = try syscall("ioctl", "TIOCGPTN") { cd_pty_number(master.rawValue) }
        let slave = try directory.openFile(RawString("\(number)"), O_RDWR | O_NOCTTY | O_NONBLOCK)
        let (ours, theirs) = (try slave.status(), try master.status())
        guard cd_filesystem_type(slave.rawValue) == devptsMagic, ours.device == theirs.device else {
            throw SystemError("open", "/dev/pts/\(number)", code: ENODEV)
        }
        _ = fcntl(slave.rawValue, F_SETFL, fcntl(slave.rawValue, F_GETFL) & ~O_NONBLOCK)
        return slave
    }
}
