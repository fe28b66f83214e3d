import Mounts
import Platform
import TestSupport
import Testing

@Suite("A mount plan")
struct MountPlanTests {
    private func bind(_ text: String) throws -> BindSpec { try BindSpec(text) }

    private static let standard: MountPlan = {
        var plan = SystemMounts.plan(devices: .none)
        plan.steps.append(.bind(BindSpec(source: "/tmp", target: "/tmp"), required: false))
        plan.steps.append(.bind(BindSpec(source: "/storage", target: "/mnt/sdcard"), required: false))
        return plan
    }()

    @Test("lets a person's bind take the place of a default one, at its target or below it")
    func replaces() throws {
        var plan = Self.standard
        try plan.add(binds: [bind("/srv:/tmp"), bind("/srv:/mnt"), bind("/host/run:/run")])
        #expect(plan.binds.map(\.source) == ["/srv", "/srv", "/host/run"])
        #expect(!plan.steps.contains { $0.target == "/mnt/sdcard" })
        #expect(plan.steps.filter { $0.target == "/run" }.count == 1)
    }

    @Test("keeps the default bind above a person's one")
    func below() throws {
        var plan = Self.standard
        try plan.add(binds: [bind("/srv:/tmp/srv")])
        #expect(plan.binds.map(\.target) == ["/tmp", "/mnt/sdcard", "/tmp/srv"])
    }

    @Test("puts what lies below another bind after it")
    func order() throws {
        var plan = MountPlan()
        try plan.add(binds: [bind("/1:/a/b/c"), bind("/2:/a"), bind("/3:/z"), bind("/4:/a/b")])
        #expect(plan.binds.map(\.source) == ["/2", "/3", "/4", "/1"])
    }

    @Test("takes the same bind twice as one")
    func twice() throws {
        var plan = MountPlan()
        try plan.add(binds: [bind("/1:/a:ro"), bind("/1:/a:ro")])
        #expect(plan.binds.count == 1)
    }

    @Test("refuses two sources at one place, and one source in two ways")
    func conflicts() throws {
        var plan = MountPlan()
        let binds = [try bind("/1:/a"), try bind("/2:/a")]
        #expect(throws: BindError.conflict(target: "/a", mounted: "/1", asked: "/2")) {
            try plan.add(binds: binds)
        }
        let ways = [try bind("/1:/a"), try bind("/1:/a:ro")]
        #expect(throws: BindError.otherOptions(target: "/a", mounted: "rbind", asked: "rbind,ro")) {
            try plan.add(binds: ways)
        }
    }

    @Test("gives every container the kernel's file systems, safely")
    func system() throws {
        var types: [GuestPath: (String, MountAttributes)] = [:]
        for case .fileSystem(let type, let target, _, let attributes) in SystemMounts.plan(devices: .none)
            .steps
        {
            types[target] = (type, attributes)
        }
        #expect(types["/proc"]?.0 == "proc")
        #expect(types["/sys"]?.0 == "sysfs")
        #expect(types["/sys"]?.1.contains(.readOnly) == true)
        for (path, type) in [
            ("/dev", "tmpfs"), ("/dev/pts", "devpts"), ("/dev/shm", "tmpfs"), ("/run", "tmpfs"),
        ] {
            #expect(types[GuestPath(path)]?.0 == type)
            #expect(types[GuestPath(path)]?.1.contains(.noSetuid) == true)
        }
    }

    @Test("makes the core nodes with the numbers of every Linux")
    func nodes() {
        var nodes: [String: DeviceNode] = [:]
        for case .node(let target, let node) in SystemMounts.plan(devices: .none).steps {
            nodes[target.absolute.text] = node
        }
        let expected: [(String, UInt32, UInt32)] = [
            ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8),
            ("/dev/urandom", 1, 9), ("/dev/tty", 5, 0),
        ]
        #expect(nodes.count == expected.count)
        for (path, major, minor) in expected { #expect(nodes[path] == DeviceNode(major, minor)) }
    }

    @Test("names each file system's place before anything below it")
    func parentsFirst() {
        let steps = SystemMounts.plan(devices: .none).steps
        for (position, step) in steps.enumerated() {
            guard case .fileSystem = step else { continue }
            let earlier = steps[..<position].filter {
                $0.target != step.target && $0.target.isWithin(step.target)
            }
            #expect(earlier.isEmpty, "\(step.target) covers \(earlier)")
        }
    }

    @Test("finds the devices of the host by the names of their kinds", .needsRoot, .scratch)
    func devices() throws {
        let dev = Scratch.path
        try Run.shell(
            """
            cd $1; mkdir dri snd net; mknod kvm c 10 232; mknod -m 660 ttyUSB0 c 188 0; mknod sda b 8 0; mknod mem c 1 1
            mknod net/tun c 10 200; mknod nvidia0 c 195 0; touch fuse; ln -s /etc input; chown 0:20 ttyUSB0
            """, dev.rawValue)
        let steps = HostDevices.found(in: dev).steps
        #expect(
            Set(steps.map(\.target)) == [
                "/dev/dri", "/dev/snd", "/dev/kvm", "/dev/ttyUSB0", "/dev/net", "/dev/net/tun",
                "/dev/nvidia0",
            ])
        #expect(steps.contains(.node("/dev/ttyUSB0", DeviceNode(188, 0, permissions: 0o660, group: 20))))
    }
}

extension MountPlan {
    mutating func add(binds: [BindSpec]) throws(BindError) {
        try add(binds.map { .bind($0, required: true) })
    }
}
