import Libc
import Testing

@testable import Platform

@Suite("A trial")
struct TrialTests {
    @Test("tells what the child found out", arguments: [0, ENOSYS, EPERM, EBADF, 133])
    func codes(_ code: Int32) { #expect(Trial { code } == (code == 0 ? .works : .refused(code))) }

    @Test("survives a filter that ends the child", arguments: [SIGSYS, SIGKILL])
    func killed(_ signal: Int32) {
        let trial = Trial {
            kill(getpid(), signal)
            return 0
        }
        #expect(trial == .killed(signal: signal))
        #expect(trial.reason.contains("filter"))
    }

    @Test("changes nothing of this process", arguments: KernelFeature.allCases)
    func traceless(_ feature: KernelFeature) throws {
        func namespaces() throws -> [RawString] {
            try ["mnt", "pid", "uts", "ipc", "cgroup", "user", "net"].map {
                try Directory.open("/proc/self/ns").readSymbolicLink($0)
            }
        }
        let before = try namespaces()
        let trial = feature.attempt()
        #expect(trial != .notTried)
        #expect(try namespaces() == before)
    }

    @Test("knows a missing right from a missing feature")
    func rights() {
        #expect(Trial.refused(EPERM).lacksRights && Trial.notTried.lacksRights)
        #expect(!Trial.refused(ENOSYS).lacksRights && !Trial.works.lacksRights)
    }
}
