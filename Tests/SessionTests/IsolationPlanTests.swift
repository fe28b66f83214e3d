import Libc
import Mounts
import Namespaces
import Platform
@testable import Session
import Store
import TestSupport
import Testing

@Suite("A launch plan of an isolated container")
struct IsolationPlanTests {
    private static let range = IDRange(start: 0x7000_0000, count: 65536)

    private func question(_ change: (inout Question) -> Void = { _ in }) -> Question {
        var question = Question()
        question.request.mode = .isolated
        question.range = Self.range
        change(&question)
        return question
    }

    @Test(
        "is made by option or variable, the option first",
        arguments: [
            (nil, [:], .standard), (nil, ["CD_USE_NS": "1"], .namespaces),
            (nil, ["CD_USE_NS": "0"], .standard),
            (nil, ["CD_USE_ISOLATION": "yes", "CD_USE_NS": "1"], .isolated),
            (nil, ["CD_USE_ISOLATION": "strict"], .isolated), (.minimal, ["CD_USE_ISOLATION": "1"], .minimal),
        ] as [(LaunchPlan.Mode?, [String: String], LaunchPlan.Mode)])
    func modes(_ asked: LaunchPlan.Mode?, _ variables: [String: String], _ mode: LaunchPlan.Mode) throws {
        var question = Question()
        question.request.mode = asked
        question.variables = variables
        let plan = try question.plan()
        #expect(plan.mode == mode)
        #expect(plan.isStrict == (variables["CD_USE_ISOLATION"] == "strict" && mode == .isolated))
    }

    @Test("is that of the running container when nothing else is asked for")
    func running() throws {
        var question = Question()
        question.running = .isolated
        question.range = Self.range
        #expect(try question.plan().mode == .isolated)
        question.request.mode = .minimal
        #expect(try question.plan().mode == .minimal)
    }

    @Test("shares nothing of the host that was not asked for")
    func closed() throws {
        var question = question { $0.termux = Question.termux }
        question.variables = [
            "COLORTERM": "truecolor", "ANDROID_DATA": "/data", "TERM": "weird", "SECRET": "1", "LANG": "xx",
        ]
        let plan = try question.plan()
        #expect(plan.mounts.binds.isEmpty)
        #expect(plan.privileges.groups == [0, 10])
        for name in ["COLORTERM", "ANDROID_DATA", "SECRET", "LANG", "MOZ_FAKE_NO_SANDBOX"] {
            #expect(plan.environment[RawString(name)] == nil, "\(name)")
        }
        #expect(plan.environment["TERM"] == "xterm-256color")
        #expect(plan.environment["PATH"]?.text.contains("termux") == false)
    }

    @Test("covers what tells of the host, after everything else is mounted")
    func covers() throws {
        let plan = try question {
            $0.request.memoryFileSystems = [try? MemoryFileSystem("/x")].compactMap { $0 }
        }.plan()
        let covers = Array(plan.mounts.steps.suffix(SystemMounts.covers.count))
        #expect(covers == SystemMounts.covers)
        for path in ["/proc/kcore", "/proc/keys", "/proc/sysrq-trigger", "/sys/firmware", "/sys/fs/cgroup"] {
            #expect(covers.contains(.mask(GuestPath(path))), "\(path)")
        }
        #expect(covers.contains(.seal("/proc/sys")))
        #expect(try Question().plan().mounts.steps.allSatisfy { !covers.contains($0) })
    }

    @Test("covers how hot each processor of the machine was, in no other mode")
    func heat() throws {
        try Scratch.with { folder in
            try Run.shell(
                """
                cd "$1"; mkdir -p cpu0/thermal_throttle cpu1/thermal_throttle cpu10/thermal_throttle cpufreq cpuidle none/cpu0
                """, folder.rawValue)
            #expect(SystemMounts.heatCounters(below: folder / "none").isEmpty)
            let counters = SystemMounts.heatCounters(below: folder)
            let expected = ["cpu0", "cpu1", "cpu10"].map {
                GuestPath("/sys/devices/system/cpu/\($0)/thermal_throttle")
            }
            #expect(counters == expected)
            let plan = try question { $0.heatCounters = counters }.plan()
            #expect(expected.allSatisfy { plan.mounts.steps.contains(.mask($0)) })
            var open = Question()
            open.heatCounters = counters
            #expect(try expected.allSatisfy { try !open.plan().mounts.steps.contains(.mask($0)) })
        }
    }

    @Test("has a boundary of users, and knows what is left without it")
    func boundary() throws {
        let plan = try question().plan()
        #expect(plan.boundary == Self.range.map { .range($0) })
        #expect(plan.confined == .confined && plan.privileges.capabilities == .standard)
        #expect(try question { $0.range = nil }.plan().boundary == .capabilities(.confined))
    }

    @Test("filters system calls unless that is switched off")
    func filter() throws {
        #expect(try question().plan().isFiltered)
        #expect(try !question { $0.variables["CD_NO_SECCOMP"] = "1" }.plan().isFiltered)
        #expect(try !question { $0.request.isPrivileged = true }.plan().isFiltered)
        #expect(try !Question().plan().isFiltered)
    }

    @Test("shows a bind's files to the guest as its own, but never those of the host's root")
    func owners() throws {
        var question = question()
        question.request.user = "user"
        question.request.binds = [try BindSpec("/work:/work")]
        let owners = try question.plan().binds.first?.options.owners
        #expect(
            owners
                == OwnerMapping(
                    hostUser: 1000, hostGroup: 1000, guestUser: 1000, guestGroup: 1000, isExclusive: true))
        question.homeOwner = (0, 0)
        #expect(try question.plan().binds.first?.options.owners == nil)
        question.request.sharesHome = true
        #expect(throws: LaunchError.homeOfRoot("/home/me", user: "user")) { try question.plan() }
    }

    @Test("is refused when it is to be strict and privileged")
    func contradiction() {
        var question = question()
        question.request.isStrict = true
        question.request.isPrivileged = true
        #expect(throws: LaunchError.contradicts("--privileged", "--isolated=strict")) { try question.plan() }
    }

    @Test("has the ids of its range in every step that names one")
    func shifted() throws {
        let range = try #require(Self.range)
        let node = DeviceNode(188, 0, permissions: 0o660, owner: 0, group: 20)
        let plan = MountPlan([
            .fileSystem(
                "devpts", at: "/dev/pts", parameters: [.init("gid", "5"), .init("mode", "0620")], []),
            .node("/dev/ttyUSB0", node), .node("/dev/null", DeviceNode(1, 3)),
        ]).shifted(by: range)
        #expect(
            plan.steps == [
                .fileSystem(
                    "devpts", at: "/dev/pts",
                    parameters: [.init("gid", "\(range.start + 5)"), .init("mode", "0620")], []),
                .node(
                    "/dev/ttyUSB0",
                    DeviceNode(188, 0, permissions: 0o660, owner: range.start, group: range.start + 20)),
                .node("/dev/null", DeviceNode(1, 3)),
            ])
    }

    // MARK: - Options of every mode

    @Test("adds and drops capabilities, what is dropped being gone")
    func capabilities() throws {
        func set(_ words: (added: [String], dropped: [String]), privileged: Bool = false) throws
            -> CapabilitySet
        {
            var question = Question()
            for word in words.added {
                question.request.addedCapabilities = question.request.addedCapabilities.union(
                    try .init(word: word))
            }
            for word in words.dropped {
                question.request.droppedCapabilities = question.request.droppedCapabilities.union(
                    try .init(word: word))
            }
            question.request.isPrivileged = privileged
            return try question.plan().privileges.capabilities
        }
        #expect(try set(([], [])) == .standard)
        #expect(try set((["sys_time"], [])).contains(.sys_time))
        #expect(try !set(([], ["net_raw"])).contains(.net_raw))
        #expect(try !set((["net_raw"], ["net_raw"])).contains(.net_raw))
        #expect(try set((["chown"], ["all"])) == CapabilitySet([.chown]))
        #expect(try set(([], ["all"])) == .none)
        #expect(try set((["all"], ["mknod"])) == CapabilitySet.all.subtracting(.init([.mknod])))
        #expect(try set(([], []), privileged: true) == .all)
        #expect(try set(([], ["mknod"]), privileged: true) == CapabilitySet.all.subtracting(.init([.mknod])))
    }

    @Test("lets nobody gain privileges when told so, in every mode", arguments: LaunchPlan.Mode.allCases)
    func noNewPrivileges(_ mode: LaunchPlan.Mode) throws {
        var question = Question()
        question.request.mode = mode
        #expect(try !question.plan().privileges.hasNoNewPrivileges)
        question.request.hasNoNewPrivileges = true
        #expect(try question.plan().privileges.hasNoNewPrivileges)
        question.request.hasNoNewPrivileges = false
        question.variables["CD_NO_NEW_PRIVS"] = "1"
        #expect(try question.plan().privileges.hasNoNewPrivileges)
    }

    @Test("gives a read-only container memory where programs write")
    func readOnly() throws {
        var question = Question()
        question.request.isReadOnly = true
        let places = { (plan: LaunchPlan) in
            plan.mounts.steps.filter { if case .fileSystem("tmpfs", _, _, _) = $0 { true } else { false } }
                .map(\.target)
        }
        #expect(try places(question.plan()) == ["/dev", "/dev/shm", "/run", "/var/tmp"])
        question.request.mode = .minimal
        let plan = try question.plan()
        #expect(places(plan) == ["/dev", "/dev/shm", "/run", "/tmp", "/var/tmp"] && plan.isReadOnly)
    }

    @Test("puts name servers and hosts into files of the running container's own")
    func files() throws {
        var question = Question()
        question.request.nameServers = ["9.9.9.9", "::1"]
        question.request.hosts = [try HostEntry("db:10.0.0.7")]
        question.hosts = Array("127.0.0.1 localhost".utf8)
        let files = try question.plan().requests.compactMap { step in
            if case .file(let file) = step {
                (file.target, String(decoding: file.contents, as: UTF8.self))
            } else {
                nil
            }
        }
        #expect(files.first?.0 == "/etc/resolv.conf")
        #expect(files.first?.1 == "nameserver 9.9.9.9\nnameserver ::1\n")
        #expect(files.last?.1 == "127.0.0.1 localhost\n10.0.0.7\tdb\n")
    }

    @Test("refuses two different things in one place")
    func twice() throws {
        var question = Question()
        question.request.binds = [try BindSpec("/a:/x")]
        question.request.memoryFileSystems = [try MemoryFileSystem("/x")]
        #expect(throws: BindError.twice("/x")) { try question.plan() }
    }

    @Test("makes the devices that are asked for, of a directory all of them")
    func devices() throws {
        var question = Question()
        question.nodes = { path in
            let known: [HostPath: [(name: RawString?, node: DeviceNode)]] = [
                "/dev/kvm": [(nil, DeviceNode(10, 232))], "/dev/snd": [(RawString("a"), DeviceNode(116, 1))],
            ]
            return known[path] ?? []
        }
        question.request.devices = [try DeviceSpec("/dev/kvm"), try DeviceSpec("/dev/snd:/dev/sound")]
        #expect(
            try question.plan().requests == [
                .node("/dev/kvm", DeviceNode(10, 232)), .directory("/dev/sound", mode: 0o755),
                .node("/dev/sound/a", DeviceNode(116, 1)),
            ])
        question.request.devices = [try DeviceSpec("/dev/nothing")]
        #expect(throws: LaunchError.noDevice("/dev/nothing")) { try question.plan() }
    }

    @Test("names a container that has a host name of its own after itself, where it can")
    func hostname() throws {
        var question = Question()
        #expect(try question.plan().ownHostname == "box")
        question.request.hostname = "phone"
        #expect(try question.plan().ownHostname == "phone")
    }
}
