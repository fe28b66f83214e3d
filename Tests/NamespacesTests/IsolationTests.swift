import CLinux
import Libc
import Platform
import TestSupport
import Testing

@testable import Namespaces

@Suite("Making a directory the root of a mount namespace", .needsRoot, .scratch)
struct IsolationTests {
    /// A thread whose root and mount namespace are its own, so that the test's stay as they are.
    private final class Alone {
        private let body: () throws -> Void
        private var error: (any Error)?
        init(_ body: @escaping () throws -> Void) { self.body = body }

        func run() throws {
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Alone>.fromOpaque(context).takeUnretainedValue().work() }
                    return nil
                }, Unmanaged.passUnretained(self).toOpaque())
            guard code == 0 else { throw SystemError("pthread_create", code: code) }
            pthread_join(thread, nil)
            if let error { throw error }
        }

        private func work() {
            do {
                try syscall("unshare") { cd_unshare(cd_clone_newns) }
                try syscall("mount") { mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_SLAVE), nil) }
                try body()
            } catch { self.error = error }
        }
    }

    @Test(
        "works where the present root cannot be exchanged, also for those who join later",
        arguments: [true, false])
    func root(exchanges: Bool) throws {
        let path = Scratch.path
        try Run.shell("mkdir $1/root; echo new >$1/root/marker", path.rawValue)
        var found: [String] = []
        try Alone {
            let target = (path / "root").rawValue
            try syscall("mount") { mount(target, target, nil, UInt(MS_BIND), nil) }
            let directory = try Directory.open(path / "root")
            let namespace = try FileDescriptor.open("/proc/thread-self/ns/mnt", O_RDONLY)
            if exchanges {
                try Isolation.enterRoot(directory)
            } else {
                try syscall("fchdir") { fchdir(directory.raw) }
                try Isolation.coverRoot()
            }
            for _ in 0..<2 {
                found += try Directory.open("/").entries().map(\.name.text)
                found += try Directory.open("/..").entries().map(\.name.text)
                try Isolation.join(namespace, .mount)
            }
        }.run()
        #expect(found == ["marker", "marker", "marker", "marker"])
    }
}
