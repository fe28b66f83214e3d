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
