import CLinux
import Libc
import Platform

/// The guest's end of a session's terminal.
enum GuestTerminal {
    /// The file system type of devpts (statfs(2)).
    private static let devptsMagic = 0x1cd1

    /// Gives this process a pty of the container's own devpts, as controlling terminal and in place of those standard
    /// descriptors that are terminals now.
    ///
    /// The master goes to the supervisor. With `everywhere`, all three are replaced, whatever they are.
    static func take(sendingMasterTo socket: Int32, owner: uid_t, everywhere: Bool) throws {
        let master = FileDescriptor(
            adopting: try syscall("open", "/dev/pts/ptmx") {
                open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
            })
        // The guest rules over its own /dev: what is opened there must really be a pty multiplexer.
        let status = try master.status()
        guard status.kind == .characterDevice, status.major == 5, status.minor == 2,
            cd_filesystem_type(master.rawValue) == devptsMagic
        else { throw SystemError("open", "/dev/pts/ptmx", code: ENODEV) }
        try syscall("ioctl", "TIOCSPTLCK") { cd_pty_unlock(master.rawValue) }
        let slave = try peer(of: master)
        // Programs open their terminal again by its name (tty(1), tmux), after they have become the user.
        try syscall("fchown", "the terminal") { fchown(slave.rawValue, owner, .max) }
        try syscall("sendmsg") { cd_send_descriptor(socket, master.rawValue) }
        // The supervisor sets size and modes before anything is written.
        var go: UInt8 = 0
        guard read(socket, &go, 1) == 1 else { throw SystemError("read", "the supervisor", code: EPIPE) }
        setsid()
        try syscall("ioctl", "TIOCSCTTY") { cd_make_controlling(slave.rawValue) }
        for descriptor in Int32(0)...2 where everywhere || isatty(descriptor) == 1 {
            try syscall("dup2") { dup2(slave.rawValue, descriptor) }
        }
    }

    /// The other end of the pty.
    private static func peer(of master: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor {
        let direct = cd_pty_peer(master.rawValue)
        if direct >= 0 { return FileDescriptor(adopting: direct) }
        return try named(by: master, in: "/dev/pts")
    }

    /// The other end before Linux 4.13: only by its name, where the guest may have put something else.
    static func named(
        by master: borrowing FileDescriptor, in directory: HostPath
    ) throws(SystemError) -> FileDescriptor {
        let number = try syscall("ioctl", "TIOCGPTN") { cd_pty_number(master.rawValue) }
        let path = directory / "\(number)"
        let slave = try FileDescriptor.open(path, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK)
        let (ours, theirs) = (try slave.status(), try master.status())
        guard cd_filesystem_type(slave.rawValue) == devptsMagic, ours.device == theirs.device else {
            throw SystemError("open", path.description, code: ENODEV)
        }
        _ = fcntl(slave.rawValue, F_SETFL, fcntl(slave.rawValue, F_GETFL) & ~O_NONBLOCK)
        return slave
    }
}
