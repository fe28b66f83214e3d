import CLinux
import Libc
import Platform
import TestSupport
import Testing

@testable import Session

@Suite("A guest's end of a terminal, found by its name", .needsRoot, .needsFile("/dev/pts/ptmx"), .scratch)
struct GuestTerminalTests {
    private func master() throws -> FileDescriptor {
        let master = try FileDescriptor.open("/dev/pts/ptmx", O_RDWR | O_NOCTTY)
        try syscall("ioctl", "TIOCSPTLCK") { cd_pty_unlock(master.rawValue) }
        return master
    }

    @Test("is the other end of that very terminal, and waits for what is to come")
    func pair() throws {
        let master = try master()
        let slave = try GuestTerminal.named(by: master, in: Directory.open("/dev/pts"))
        try slave.writeAll("over")
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = read(master.rawValue, &bytes, bytes.count)
        #expect(bytes.prefix(max(count, 0)).elementsEqual("over".utf8))
        #expect(fcntl(slave.rawValue, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test(
        "is refused when something else has the name",
        arguments: [
            ("file", ENODEV), ("pipe", ENODEV), ("link", ELOOP), ("null", ENODEV), ("nothing", ENOENT),
        ])
    func impostor(_ kind: String, _ code: Int32) throws {
        let master = try master()
        let number = cd_pty_number(master.rawValue)
        try Run.shell(
            """
            case $3 in
                file) : >"$1/$2" ;;
                pipe) mkfifo "$1/$2" ;;
                link) ln -s "/dev/pts/$2" "$1/$2" ;;
                null) mknod "$1/$2" c 1 3 ;;
            esac
            """, Scratch.path.rawValue, "\(number)", kind)
        let error = #expect(throws: SystemError.self) {
            _ = try GuestTerminal.named(by: master, in: Directory.open(Scratch.path))
        }
        #expect(error?.code == code)
    }
}
