import CLinux
import Libc
import Testing

@testable import Platform

@Suite("A child that goes on in this program") struct ForkTests {
    /// What the child is given.
    private struct Errand {
        var number: Int32
        let program: String
    }

    private func status(of pid: pid_t) -> Int32 {
        var status: Int32 = -1
        return waitpid(pid, &status, 0) == pid ? status : -1
    }

    @Test("shares this process's memory until it ends, and this process waits as long")
    func ended() throws {
        var errand = Errand(number: 1, program: "")
        let pid = withUnsafeMutablePointer(to: &errand) { pointer in
            Fork.childSharingMemory(into: ControlGroupEntry(), with: pointer) { context, isBorn in
                guard let context else { return 1 }
                usleep(50_000)
                UnsafeMutableRawPointer(mutating: context).assumingMemoryBound(to: Errand.self).pointee
                    .number = 2
                return isBorn ? 4 : 3
            }
        }
        let child = try #require(pid)
        #expect(errand.number == 2)
        #expect(status(of: child) == 3 << 8)
        #expect(child != getpid())
    }

    @Test("becomes another program and leaves this one as it is, however often")
    func replaced() throws {
        let errand = Errand(number: 1, program: "/bin/true")
        for _ in 0..<50 {
            let pid = withUnsafePointer(to: errand) { pointer in
                Fork.childSharingMemory(into: ControlGroupEntry(), with: pointer) { context, _ in
                    guard let errand = context?.assumingMemoryBound(to: Errand.self).pointee else { return 1 }
                    _ = cd_set_dumpable(false)
                    var words: [UnsafeMutablePointer<CChar>?] = [strdup(errand.program), nil]
                    execv(errand.program, &words)
                    return 2
                }
            }
            #expect(status(of: try #require(pid)) == 0)
        }
        #expect(errand.program == "/bin/true")
    }
}
