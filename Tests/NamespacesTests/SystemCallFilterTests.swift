import CLinux
import CSeccomp
import Libc
import Namespaces
import Platform
import TestSupport
import Testing

@Suite("The filter of system calls", .scratch)
struct SystemCallFilterTests {
    @Test("is made once and then kept", .needsFile("/usr/lib/x86_64-linux-gnu/libseccomp.so.2"))
    func kept() throws {
        let directory = try Directory.open(Scratch.path)
        let filter = try SystemCallFilter(keptIn: directory)
        let bytes = try directory.readFile(SystemCallFilter.keptName, limit: 1 << 16)
        #expect(!bytes.isEmpty && bytes.count % 8 == 0)
        #expect(try SystemCallFilter(keptIn: directory) == filter)
        #expect(try SystemCallFilter() == filter)
    }

    @Test(
        "is made anew when what was kept is damaged", .needsFile("/usr/lib/x86_64-linux-gnu/libseccomp.so.2"))
    func damaged() throws {
        let directory = try Directory.open(Scratch.path)
        try directory.replaceFile(SystemCallFilter.keptName, with: [1, 2, 3], durable: false)
        #expect(try SystemCallFilter(keptIn: directory) == SystemCallFilter())
    }

    @Test(
        "denies by its number what libseccomp has no name for",
        .needsFile("/usr/lib/x86_64-linux-gnu/libseccomp.so.2"))
    func unnamed() throws {
        let file = FileDescriptor(adopting: try Platform.syscall("memfd_create") { cd_memfd("filter") })
        let descriptor = file.rawValue
        try "call_of_the_future".withCString { name in
            let openProcess: UInt32 = 434  // pidfd_open(2)
            try "getpriority".withCString { known in
                let rules = [
                    cd_seccomp_rule(name: known, argument: -1, value: 0, number: 0),
                    cd_seccomp_rule(name: name, argument: -1, value: 0, number: openProcess),
                ]
                try Platform.syscall("seccomp") { cd_seccomp_make(rules, rules.count, descriptor) }
            }
        }
        _ = try file.seek(to: 0)
        let program = try file.readAll(limit: 1 << 16)
        let child = cd_fork()
        if child == 0 {
            guard program.withUnsafeBytes({ cd_seccomp_load($0.baseAddress, $0.count) }) == 0 else {
                _exit(1)
            }
            guard cd_pidfd_open(getpid()) < 0, errno == EPERM, getppid() > 0 else { _exit(2) }
            errno = 0
            _exit(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) == -1 && errno == EPERM ? 0 : 3)
        }
        var status: Int32 = -1
        #expect(waitpid(child, &status, 0) == child && status == 0, "\(status >> 8)")
    }

    @Test("has no name that makes it a container's")
    func name() { #expect(SystemCallFilter.keptName.text.hasPrefix(".filter-")) }
}

@Suite("A set of namespaces")
struct NamespaceSetTests {
    @Test("is named for people, and all of it is known here", .needsFile("/proc/self/ns/cgroup"))
    func names() {
        let set: NamespaceSet = [.mount, .process, .cgroup]
        #expect(set.names == ["mounts", "processes", "control groups"])
        #expect(Isolation.unknown(of: set).isEmpty)
    }
}
