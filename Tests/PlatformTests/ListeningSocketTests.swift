import Libc
import Testing

@testable import Platform

@Suite("Listening sockets")
struct ListeningSocketTests {
    @Test("are read from the kernel's tables")
    func tables() {
        let four = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100
               1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100
               2: nonsense
            """
        #expect(
            ListeningSocket.parse(four, "tcp") == [
                ListeningSocket(protocol: "tcp", address: "127.0.0.1", port: 8080, inode: 4711)
            ])
        let six = """
              sl  local_address                         remote_address                        st
               0: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 99 2
            """
        #expect(
            ListeningSocket.parse(six, "udp6") == [
                ListeningSocket(protocol: "udp6", address: "::1", port: 53, inode: 99)
            ])
    }

    @Test("of this process are found by their inodes")
    func own() {
        let socket = Libc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var status = stat()
        fstat(socket, &status)
        #expect(ListeningSocket.inodes(of: getpid()).contains(UInt64(status.st_ino)))
    }

    @Test("the use of this process is known")
    func usage() throws {
        let usage = try #require(ProcessUsage(of: getpid()))
        #expect(usage.memory > 1 << 20 && usage.threads >= 1 && usage.user == getuid())
        #expect(usage.command.isEmpty == false)
        #expect(ProcessUsage(of: 1 << 22 + 1) == nil)
    }
}
