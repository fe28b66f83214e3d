import Libc
import Testing

@testable import Platform

@Suite("A control group")
struct ControlGroupTests {
    private static let asked = ResourceLimits(memory: 64 << 20, processorTime: 150_000, processes: 9)

    private static func content(_ path: String) throws -> String {
        String(
            decoding: try FileDescriptor.open(HostPath(path), O_RDONLY).readAll(limit: 4096), as: UTF8.self)
    }

    /// Plain files in the place of a version 2 tree, whose root has the controllers on already.
    private static func unified(_ scratch: borrowing Scratch, controllers: String) throws -> ControlGroupTree
    {
        try scratch.write("cgroup.subtree_control", controllers)
        try scratch.makeDirectory("box")
        for file in ["memory.max", "cpu.max", "pids.max"] { try scratch.write("box/\(file)") }
        return ControlGroupTree(unified: HostPath(scratch.path), legacy: [:])
    }

    @Test("sets the limits of version 2")
    func unifiedLimits() throws {
        let scratch = try Scratch()
        let tree = try Self.unified(scratch, controllers: "cpu memory pids")
        let group = try #require(try ControlGroup.make("box", Self.asked, in: tree))
        #expect(try Self.content(scratch.path + "/box/memory.max") == "67108864")
        #expect(try Self.content(scratch.path + "/box/cpu.max") == "150000 100000")
        #expect(try Self.content(scratch.path + "/box/pids.max") == "9")
        #expect(ControlGroup.existing("box", in: tree) == group)
        #expect(ControlGroup.existing("other", in: tree) == nil)
    }

    @Test("has no limit left that somebody who is still in it was under")
    func oldLimits() throws {
        let scratch = try Scratch()
        let tree = try Self.unified(scratch, controllers: "cpu memory pids")
        _ = try ControlGroup.make("box", Self.asked, in: tree)
        _ = try ControlGroup.make("box", ResourceLimits(memory: 4096), in: tree)
        #expect(try Self.content(scratch.path + "/box/memory.max").hasPrefix("4096"))
        #expect(try Self.content(scratch.path + "/box/cpu.max").hasPrefix("max"))
        #expect(try Self.content(scratch.path + "/box/pids.max").hasPrefix("max"))
    }

    @Test("asks the root of version 2 for a controller that is off")
    func switchedOn() throws {
        let scratch = try Scratch()
        let tree = try Self.unified(scratch, controllers: "cpu")
        _ = try ControlGroup.make("box", ResourceLimits(processes: 3), in: tree)
        #expect(try Self.content(scratch.path + "/cgroup.subtree_control") == "+pids")
    }

    @Test("takes a limit from version 1 where version 2 has no such controller")
    func legacyLimits() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("v2")
        try scratch.makeDirectory("v1")
        try scratch.makeDirectory("v1/box")
        for file in ["memory.limit_in_bytes", "cgroup.procs"] {
            try scratch.write("v1/box/\(file)", "12\n7\n")
        }
        let root = HostPath(scratch.path)
        let tree = ControlGroupTree(unified: root / "v2", legacy: [.memory: root / "v1"])
        let group = try #require(
            try ControlGroup.make("box", ResourceLimits(memory: 4096), in: tree))
        #expect(try Self.content(scratch.path + "/v1/box/memory.limit_in_bytes").hasPrefix("4096"))
        #expect(group.processes() == [7, 12])
        #expect(ControlGroup.existing("box", in: tree) == group)
    }

    @Test("has no process of another PID namespace, which would be signalled as the reader's own group")
    func strangers() throws {
        let scratch = try Scratch()
        let tree = try Self.unified(scratch, controllers: "")
        try scratch.write("box/cgroup.procs", "0\n12\n0\n7\n")
        let group = try #require(ControlGroup.existing("box", in: tree))
        #expect(group.processes() == [7, 12])
        let kept = group.keep().processes()
        #expect(kept == [7, 12])
    }

    @Test("is not there where none can be made, unless limits are asked for")
    func nowhere() throws {
        let tree = ControlGroupTree(unified: nil, legacy: [:])
        #expect(try ControlGroup.make("box", ResourceLimits(), in: tree) == nil)
        #expect(throws: ControlGroupError.missing(.memory)) {
            _ = try ControlGroup.make("box", ResourceLimits(memory: 4096), in: tree)
        }
        let gone = ControlGroupTree(unified: "/nowhere", legacy: [.pids: "/nowhere"])
        #expect(throws: ControlGroupError.self) {
            _ = try ControlGroup.make("box", ResourceLimits(processes: 4), in: gone)
        }
    }

    @Test("leaves nothing behind when one of its limits is refused")
    func refused() throws {
        let scratch = try Scratch()
        try scratch.write("cgroup.subtree_control", "pids")
        let tree = ControlGroupTree(unified: HostPath(scratch.path), legacy: [:])
        // The new directory has no pids.max, since nobody but the kernel makes one.
        #expect(throws: ControlGroupError.self) {
            _ = try ControlGroup.make("box", ResourceLimits(processes: 4), in: tree)
        }
        #expect(access(scratch.path + "/box", F_OK) != 0)
    }

    @Test("is found in version 1 by the controllers of its mounts")
    func mounts() {
        let table = """
            tmpfs /sys/fs/cgroup tmpfs rw 0 0
            cgroup2 /sys/fs/cgroup/unified cgroup2 rw,memory 0 0
            cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0
            none /dev/memcg cgroup rw,memory 0 0
            broken
            """
        #expect(
            ControlGroupTree.legacy(mounts: table) == [
                .cpu: "/sys/fs/cgroup/cpu,cpuacct", .memory: "/dev/memcg",
            ])
    }

    @Test("says its limits as the options that ask for them")
    func description() {
        #expect(Self.asked.description == "--memory 64.0 MiB --cpus 1.5 --pids 9")
        #expect(ResourceLimits().description.isEmpty && ResourceLimits().isEmpty)
    }
}
