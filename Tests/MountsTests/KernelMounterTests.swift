import CLinux
import Libc
import Mounts
import Platform
import TestSupport
import Testing

@Suite("Mounting", .needsRoot, .scratch)
struct KernelMounterTests {
    static let kinds: [MountInterface] = [.descriptors, .classic]

    private func prepare() throws -> HostPath {
        try Run.shell(
            """
            cd $1; mkdir -p root/etc source/sub source/deep canary; echo host >source/file; echo one >single
            echo keep >canary/file; ln -s ../canary root/link; ln -s /etc root/inner; touch root/afile; mkfifo root/fifo
            """, Scratch.path.rawValue)
        return Scratch.path
    }

    /// Builds a plan on `root` in the scratch directory as a holder would, and then asks `look`.
    private static func build<Value>(
        _ plan: MountPlan, in base: HostPath, _ kind: MountInterface, _ look: @escaping () throws -> Value
    ) throws -> Value {
        try PrivateMounts.run {
            let binds = try OpenedBinds(plan, interface: kind)
            let root = try kind.mountOnItself(try Directory.open(base / "root"))
            try KernelMounter(root: Rootfs(adopting: root), interface: kind).carryOut(plan, binds)
            return try look()
        }
    }

    private static func plan(_ base: HostPath, _ texts: String...) throws -> MountPlan {
        var plan = SystemMounts.plan(devices: .none)
        try plan.add(binds: texts.map { try BindSpec(base.rawValue + "/" + $0) })
        return plan
    }

    @Test("makes the same table in both ways")
    func sameTable() throws {
        let base = try prepare()
        let plan = try Self.plan(
            base, "source:/data:ro,nosuid", "single:/etc/single", "source/sub:/run/sub:noexec")
        let tables = try Self.kinds.map { kind in
            try Self.build(plan, in: base, kind) { try PrivateMounts.table(below: base / "root").sorted() }
        }
        #expect(tables[0] == tables[1])
        #expect(tables[0].count == 10, "\(tables[0])")
    }

    @Test("binds read-only what is mounted below a read-only bind, too", arguments: kinds)
    func recursiveReadOnly(_ kind: MountInterface) throws {
        let base = try prepare()
        let codes = try PrivateMounts.run {
            try syscall("mount") { mount("tmpfs", (base / "source/sub").rawValue, "tmpfs", 0, nil) }
            let plan = try Self.plan(base, "source:/data:ro")
            let binds = try OpenedBinds(plan, interface: kind)
            let root = try kind.mountOnItself(try Directory.open(base / "root"))
            try KernelMounter(root: Rootfs(adopting: root), interface: kind).carryOut(plan, binds)
            return ["data/new", "data/sub/new", "etc/new"].map { name in
                let descriptor = open((base / "root" / name).rawValue, O_WRONLY | O_CREAT, 0o600)
                let code = errno
                if descriptor >= 0 { close(descriptor) }
                return descriptor >= 0 ? 0 : code
            }
        }
        #expect(codes == [EROFS, EROFS, 0])
    }

    @Test("does not bring the container's own mounts in through a bind that holds it", arguments: kinds)
    func ownMounts(_ kind: MountInterface) throws {
        let base = try prepare()
        var plan = SystemMounts.plan(devices: .none)
        try plan.add(binds: [BindSpec(source: base, target: "/all")])
        let table = try Self.build(plan, in: base, kind) { try PrivateMounts.table(below: base / "root") }
        #expect(table.filter { $0.hasPrefix("/all/") }.isEmpty, "\(table)")
    }

    @Test("resolves links of the container inside it, and nothing outside changes", arguments: kinds)
    func links(_ kind: MountInterface) throws {
        let base = try prepare()
        try Run.shell("ln -s $1/canary $1/root/abs; ln -s / $1/root/top", base.rawValue)
        let plan = try Self.plan(base, "source:/abs/x", "source:/inner/y", "source:/link/z", "single:/top/w")
        let table = try Self.build(plan, in: base, kind) { try PrivateMounts.table(below: base) }
        #expect(table.allSatisfy { $0.hasPrefix("/root ") || $0.hasPrefix("/root/") }, "\(table)")
        #expect(try Run.succeeding("ls", ["-A", (base / "canary").rawValue]) == "file\n")
        #expect(try Run.succeeding("cat", [(base / "canary/file").rawValue]) == "keep\n")
    }

    @Test(
        "says what stands in the way", arguments: kinds,
        [
            ("source:/afile", ENOTDIR), ("source:/fifo", ENOTDIR), ("single:/etc", EISDIR),
            ("source:/afile/x", ENOTDIR),
        ])
    func inTheWay(_ kind: MountInterface, _ problem: (String, Int32)) throws {
        let base = try prepare()
        let plan = try Self.plan(base, problem.0)
        let error = #expect(throws: MountFailure.self) { try Self.build(plan, in: base, kind) {} }
        #expect(error?.cause.code == problem.1, "\(error?.message ?? "")")
    }

    @Test("binds a file over a FIFO without waiting for a writer", arguments: kinds)
    func fifo(_ kind: MountInterface) throws {
        let base = try prepare()
        let plan = try Self.plan(base, "single:/fifo")
        let text = try Self.build(plan, in: base, kind) {
            String(
                decoding: try FileDescriptor.open(base / "root/fifo", O_RDONLY | O_NONBLOCK).readAll(
                    limit: 100), as: UTF8.self)
        }
        #expect(text == "one\n")
    }

    @Test("leaves out what is missing and not required", arguments: kinds)
    func missing(_ kind: MountInterface) throws {
        let base = try prepare()
        let gone = BindSpec(source: base / "gone", target: "/gone")
        try Self.build(MountPlan([.bind(gone, required: false)]), in: base, kind) {}
        let error = #expect(throws: MountFailure.self) {
            try Self.build(MountPlan([.bind(gone, required: true)]), in: base, kind) {}
        }
        #expect(error?.hint == "Make the source first, or correct the path.")
    }

    @Test("shows files as another user's, and lets that user make files of the first one's")
    func owners() throws {
        let base = try prepare()
        try Run.shell(
            "cd $1/source; chown 1000:1000 . file; touch theirs other; chown 2000:2000 theirs; chown 3:4 other",
            base.rawValue)
        var options = BindOptions()
        options.owners = OwnerMapping(hostUser: 1000, hostGroup: 1000, guestUser: 2000, guestGroup: 2000)
        let plan = MountPlan([
            .bind(BindSpec(source: base / "source", target: "/home", options: options), required: true)
        ])
        let owners = try Self.build(plan, in: base, .descriptors) {
            let home = try Directory.open(base / "root/home")
            let made = try home.openFile("made", O_WRONLY | O_CREAT, mode: 0o644)
            try syscall("fchown") { fchown(made.rawValue, 2000, 2000) }
            return try ["file", "theirs", "other", "made"].map { name in
                let status = try home.status(RawString(name))
                return "\(status.owner):\(status.group)"
            }
        }
        #expect(owners == ["2000:2000", "1000:1000", "3:4", "2000:2000"])
        #expect(
            try Run.succeeding("stat", ["-c", "%u:%g", (base / "source/made").rawValue]) == "1000:1000\n")
        #expect(
            try Run.succeeding("stat", ["-c", "%u:%g", (base / "source/file").rawValue]) == "1000:1000\n")
    }

    @Test("refuses to map owners where mounts are not objects")
    func ownersClassic() throws {
        var options = BindOptions()
        options.owners = OwnerMapping(hostUser: 1, hostGroup: 1, guestUser: 2, guestGroup: 2)
        let spec = BindSpec(source: Scratch.path, target: "/x", options: options)
        #expect(throws: SystemError("mount_setattr", code: ENOSYS)) {
            _ = try MountInterface.classic.open(spec)
        }
    }
}

@Suite("A mapping of owners")
struct OwnerMappingTests {
    @Test(
        "exchanges two ids and keeps all others",
        arguments: [
            (1000, 1000, "0 0 4294967295\n"),
            (1000, 2000, "0 0 1000\n1000 2000 1\n1001 1001 999\n2000 1000 1\n2001 2001 4294965294\n"),
            (2000, 1000, "0 0 1000\n1000 2000 1\n1001 1001 999\n2000 1000 1\n2001 2001 4294965294\n"),
            (0, 1, "0 1 1\n1 0 1\n2 2 4294967293\n"),
            (5, 4_294_967_294, "0 0 5\n5 4294967294 1\n6 6 4294967288\n4294967294 5 1\n"),
        ] as [(UInt32, UInt32, String)])
    func lines(of one: UInt32, and other: UInt32, are expected: String) {
        #expect(OwnerMapping.lines(one, other) == expected)
    }
}
