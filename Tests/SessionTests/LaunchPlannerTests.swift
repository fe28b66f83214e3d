import Libc
import Mounts
import Namespaces
import Platform
import Session
import Store
import TestSupport
import Testing

/// What the planner is asked in these tests, piece by piece.
struct Question {
    var request: LaunchRequest
    var variables: [String: String] = [:]
    var termux: Termux?
    var home: HostPath? = "/home/me"
    var homeOwner: (uid_t, gid_t) = (1000, 1000)
    var missing: Set<HostPath> = []
    var manifest = ContainerManifest()
    var terminals: [String] = []
    var running: LaunchPlan.Mode?
    var range: IDRange?
    var hosts: [UInt8] = []
    var nodes: @Sendable (HostPath) -> [(name: RawString?, node: DeviceNode)] = { _ in [] }
    var heatCounters: [GuestPath] = []

    static let termux = Termux(
        package: "com.termux", prefix: "/data/data/com.termux/files/usr",
        home: "/data/data/com.termux/files/home")

    init(_ kind: SessionRecord.Kind = .login, _ arguments: String...) {
        request = LaunchRequest(kind: kind)
        request.arguments = arguments.map { RawString($0) }
    }

    private static let accounts = GuestAccounts(
        users: AccountFile.users(
            Array(
                "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/zsh\nother:x:2000:2001::/home/other:/bin/sh\n"
                    .utf8)),
        groups: AccountFile.groups(Array("wheel:x:10:user,root\nuser:x:1000:user\naudio:x:29:user\n".utf8)))

    func plan() throws -> LaunchPlan {
        let (missing, owner, heatCounters) = (missing, homeOwner, heatCounters)
        var host = HostFacts(
            environment: Environment(variables.map { (RawString($0.key), RawString($0.value)) }),
            termux: termux,
            home: home, devices: .none, exists: { !missing.contains($0) },
            owner: { _ in HostFacts.FileOwner(user: owner.0, group: owner.1) })
        host.nodes = nodes
        host.heatCounters = { heatCounters }
        var guest = GuestFacts(
            name: try ContainerName("box"), manifest: manifest, accounts: Self.accounts, terminals: terminals)
        guest.running = running
        guest.range = range
        guest.hosts = hosts
        return try LaunchPlanner.plan(request, host: host, guest: guest)
    }
}

@Suite("A launch plan")
struct LaunchPlannerTests {
    // MARK: - Who

    @Test("is for root at login, and for whom the image names at run")
    func user() throws {
        var login = Question()
        login.manifest.settings.user = "user"
        #expect(try login.plan().privileges.user == 0)
        var run = Question(.run, "x")
        run.manifest.settings.user = "user:audio"
        let plan = try run.plan()
        #expect(plan.privileges.user == 1000 && plan.privileges.group == 29)
        run.variables["CD_USER"] = "other"
        #expect(try run.plan().privileges.user == 2000)
        run.request.user = "root"
        #expect(try run.plan().privileges.user == 0)
    }

    @Test("has the primary group first, then those of the user, each once")
    func groups() throws {
        var question = Question()
        question.request.user = "user"
        #expect(try question.plan().privileges.groups == [1000, 10, 29])
        question.request.user = "1000"
        #expect(try question.plan().privileges.groups == [1000, 10, 29])
        question.request.user = "user:5"
        #expect(try question.plan().privileges.groups == [5])
        question.request.user = "777"
        #expect(try question.plan().privileges.groups == [777])
    }

    @Test("adds Android's network groups on Termux, but not to a minimal session")
    func networkGroups() throws {
        var question = Question()
        question.termux = Question.termux
        #expect(try question.plan().privileges.groups == [0, 10, 3003, 3004])
        question.request.mode = .minimal
        #expect(try question.plan().privileges.groups == [0, 10])
    }

    // MARK: - What

    @Test("starts the login shell, or the words as they are")
    func loginCommand() throws {
        var question = Question()
        question.request.user = "user"
        #expect(try question.plan().command == .shell("/bin/zsh"))
        question.request.arguments = ["ls", "a b"]
        #expect(try question.plan().command == .words(["ls", "a b"], shell: "/bin/zsh"))
    }

    private static let table: [([String]?, [String]?, [String], [RawString]?)] = [
        (["e", "1"], ["c"], [], ["e", "1", "c"]), (["e", "1"], ["c"], ["a"], ["e", "1", "a"]),
        (nil, ["c", "2"], [], ["c", "2"]), (nil, ["c", "2"], ["a"], ["a"]), ([], ["c"], [], ["c"]),
        (["e"], nil, [], ["e"]), (["e"], nil, ["a"], ["e", "a"]), (["e"], [], ["a"], ["e", "a"]),
        (nil, nil, [], nil), ([], [], [], nil), (nil, nil, ["a", "b"], ["a", "b"]),
        (["/bin/sh", "-c", "run me"], ["c"], [], ["/bin/sh", "-c", "run me"]),
        (["/bin/sh", "-c", "run me"], ["c"], ["a"], ["/bin/sh", "-c", "run me", "a"]),
    ]

    @Test("runs Entrypoint and Cmd as the table of the documentation says", arguments: table.indices)
    func runCommand(_ index: Int) throws {
        let (entrypoint, command, arguments, expected) = Self.table[index]
        var question = Question(.run)
        question.request.arguments = arguments.map { RawString($0) }
        question.manifest.imageReference = "some/image"
        question.manifest.settings.entrypoint = entrypoint
        question.manifest.settings.command = command
        if let expected {
            #expect(try question.plan().command == .words(expected, shell: nil))
        } else {
            #expect(throws: LaunchError.nothingToRun(try ContainerName("box"))) { try question.plan() }
        }
    }

    @Test("replaces Entrypoint and Cmd by an entrypoint that was asked for")
    func entrypoint() throws {
        var question = Question(.run, "a")
        question.manifest.settings.entrypoint = ["e"]
        question.manifest.settings.command = ["c"]
        question.variables["CD_ENTRYPOINT"] = "/env"
        #expect(try question.plan().command == .words(["/env", "a"], shell: nil))
        question.request.entrypoint = "/mine"
        question.request.arguments = []
        #expect(try question.plan().command == .words(["/mine"], shell: nil))
    }

    @Test("says that a plain archive records nothing to run")
    func noManifest() throws {
        #expect(throws: LaunchError.noManifest(try ContainerName("box"))) { try Question(.run).plan() }
    }

    // MARK: - Where

    @Test("starts at home, in the image's directory, or where it was asked to")
    func workingDirectory() throws {
        var login = Question()
        #expect(try login.plan().workingDirectory == .preferred("/root"))
        login.variables["CD_WORKDIR"] = "/env"
        #expect(try login.plan().workingDirectory == .required("/env"))
        login.request.workingDirectory = "/asked"
        #expect(try login.plan().workingDirectory == .required("/asked"))
        var run = Question(.run, "x")
        #expect(try run.plan().workingDirectory == .made("/"))
        run.manifest.settings.workingDirectory = "/srv"
        #expect(try run.plan().workingDirectory == .made("/srv"))
    }

    @Test(
        "translates a directory of the host below a bind, by the longest source",
        arguments: [
            ("/home/me", "/root"), ("/home/me/src/x", "/code/x"), ("/home/me/other/y", "/root/other/y"),
            ("/home/men", "/home/men"), ("/usr", "/usr"), ("/home/me/src/../x", "/home/me/src/../x"),
            ("rel", "rel"),
            ("/home//me/./src", "/code"),
        ])
    func translates(_ asked: String, to expected: String) throws {
        var question = Question()
        question.request.sharesHome = true
        question.request.binds = [try BindSpec("/home/me/src:/code")]
        question.request.workingDirectory = asked
        #expect(try question.plan().workingDirectory == .required(RawString(expected)))
    }

    // MARK: - Mounts

    private func sources(_ question: Question) throws -> [String] {
        try question.plan().mounts.binds.map { "\($0.source.rawValue):\($0.target.absolute.text)" }
    }

    @Test("shares /tmp by default, unless told otherwise")
    func temporary() throws {
        var question = Question()
        #expect(try sources(question) == ["/tmp:/tmp"])
        question.request.sharesTemporary = true
        #expect(try question.plan().binds.map(\.target) == ["/tmp"])
        question.request.sharesTemporary = false
        #expect(try sources(question) == [])
        #expect(try question.plan().keepsTemporary)
        question.request.sharesTemporary = nil
        question.request.mode = .minimal
        #expect(try sources(question) == [])
    }

    @Test("shares Termux's tmp only when asked")
    func temporaryOnTermux() throws {
        var question = Question()
        question.termux = Question.termux
        #expect(try !question.plan().mounts.binds.contains { $0.target == "/tmp" })
        question.request.sharesTemporary = true
        #expect(try question.plan().mounts.binds.last?.source == "/data/data/com.termux/files/usr/tmp")
    }

    @Test("shares the caller's home at the guest's")
    func sharedHome() throws {
        var question = Question()
        question.request.sharesHome = true
        #expect(try sources(question) == ["/tmp:/tmp", "/home/me:/root"])
        #expect(try question.plan().binds.first?.options.owners == nil)
        question.request.user = "user"
        #expect(try sources(question) == ["/tmp:/tmp", "/home/me:/home/user"])
        #expect(try question.plan().binds.first?.options.owners == nil)
        question.request.user = "other"
        let mapping = OwnerMapping(hostUser: 1000, hostGroup: 1000, guestUser: 2000, guestGroup: 2001)
        #expect(try question.plan().binds.first?.options.owners == mapping)
        question.termux = Question.termux
        #expect(try question.plan().binds.first?.source == Question.termux.home)
        question.termux = nil
        question.homeOwner = (0, 0)
        #expect(throws: LaunchError.homeOfRoot("/home/me", user: "other")) { try question.plan() }
        question.home = nil
        #expect(throws: LaunchError.noHome) { try question.plan() }
    }

    @Test("refuses what contradicts --minimal, a missing source and a bad host name")
    func refusals() throws {
        var question = Question()
        question.request.mode = .minimal
        question.request.sharesHome = true
        #expect(throws: LaunchError.minimalShares("--shared-home")) { try question.plan() }
        question.request.sharesHome = false
        question.request.sharesTemporary = true
        #expect(throws: LaunchError.minimalShares("--shared-tmp")) { try question.plan() }
        var missing = Question()
        missing.request.binds = [try BindSpec("/gone:/x")]
        missing.missing = ["/gone"]
        #expect(throws: BindError.missingSource("/gone")) { try missing.plan() }
        for name in ["", "-a", "a-", "a..b", "a b", "a_b", String(repeating: "a", count: 64), "\u{e9}"] {
            var named = Question()
            named.request.hostname = name
            #expect(throws: LaunchError.badHostname(name)) { try named.plan() }
        }
    }

    @Test("binds Android's parts with parents before what lies below them")
    func termux() throws {
        var question = Question()
        question.termux = Question.termux
        let targets = try question.plan().mounts.binds.map(\.target)
        for (position, target) in targets.enumerated() {
            #expect(
                !targets[..<position].contains { $0 != target && $0.isWithin(target) },
                "\(target) covers another")
        }
        #expect(Set(targets).count == targets.count)
        for path: GuestPath in ["/system", "/apex", "/data/data/com.termux", "/sdcard", "/storage"] {
            #expect(targets.contains(path), "\(path)")
        }
        question.missing = ["/storage/emulated/0", "/storage/self/primary"]
        let plain = try question.plan().mounts.binds.filter { $0.source == "/sdcard" }.map(\.target)
        #expect(plain.contains("/sdcard") && plain.contains("/storage/emulated/0"))
    }

    @Test("is printed as one shell command with every word quoted")
    func printed() throws {
        var question = Question(.login, "echo", "a 'b'; $(c)")
        question.request.binds = [try BindSpec("/srv:/my data:ro")]
        question.request.environment = ["X=1 2"]
        let text = PlanPrinter.command(try question.plan(), rootfs: "/store/box/rootfs")
        #expect(text.hasPrefix("unshare"))
        #expect(text.contains("/store/box/rootfs/my data"))
        #expect(text.contains("chroot --userspec=0:0"))
        #expect(!text.contains("\n\n"))
    }

    @Test("is printed so that no terminal obeys it, and the shell still reads the very bytes", .scratch)
    func printedSafely() throws {
        let word = "a\u{1b}]0;x\u{7}'b\\c\u{9b}2J\td\u{202e}e\u{7f}\u{e9}"
        var question = Question(.login, "printf", "%s", word)
        question.request.environment = ["X=\u{1b}[2J", RawString("PATH=\(Scratch.path):/usr/bin:/bin")]
        question.request.workingDirectory = "/"
        question.manifest.settings.environment = ["Y=\r\u{85}"]
        var plan = try question.plan()
        plan.command = .words(
            ["printf", "%s", RawString(word), RawString(bytes: [0xff, 0x80, 0x41]) ?? ""], shell: nil)
        let text = PlanPrinter.command(plan, rootfs: "/store/box/root\u{1b}fs")
        for scalar in text.unicodeScalars where scalar != "\n" && scalar != "\\" {
            #expect(Quoted(String(scalar)).description == String(scalar))
        }
        // Stand-ins that do nothing but go on with the words behind their own.
        let programs = Scratch.path.rawValue
        try Run.shell(
            """
            for name in mount mkdir mknod ln; do printf '#!/bin/sh\n' >$1/$name; done
            printf '#!/bin/sh\nshift 2; exec "$@"\n' >$1/unshare
            printf '#!/bin/sh\nshift 3; exec "$@"\n' >$1/chroot
            chmod 755 $1/*
            """, programs)
        let outcome = try Run.program(
            "sh", ["-c", text], environment: ["PATH": "\(programs):/usr/bin:/bin"], directory: "/")
        #expect(outcome.output == Array(word.utf8) + [0xff, 0x80, 0x41], "\(outcome.stderr)")
    }
}

@Suite("A guest's environment")
struct EnvironmentRulesTests {
    private func environment(_ question: Question) throws -> [String: String] {
        try question.plan().environment.texts
    }

    @Test("is the base and who the user is, and nothing of the host's")
    func base() throws {
        var question = Question()
        question.variables = [
            "SECRET": "s", "PATH": "/evil", "HOME": "/home/me", "LD_PRELOAD": "/x", "LANG": "C",
        ]
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games"
        #expect(
            try environment(question) == [
                "PATH": path, "HOSTNAME": "box", "TERM": "xterm-256color", "HOME": "/root", "USER": "root",
                "LOGNAME": "root", "SHELL": "/bin/bash",
            ])
    }

    @Test("lets the image override the base, --env the image, and the user's identity all of them")
    func precedence() throws {
        var question = Question()
        question.manifest.settings.environment = [
            "PATH=/image", "A=image", "B=image", "HOME=/image", "USER=image", "C=image",
        ]
        question.variables["CD_ENV"] = "B=line\nC=line\n\nD=with=equals\n"
        question.request.environment = [
            "C=flag", "HOME=/flag", "USER=flag", "E", "SHELL=/flag", "A=1", "A=2",
        ]
        let result = try environment(question)
        #expect(result["PATH"] == "/image")
        #expect(result["A"] == "2" && result["B"] == "line" && result["C"] == "flag")
        #expect(result["D"] == "with=equals" && result["E"] == "")
        #expect(result["HOME"] == "/root" && result["USER"] == "root")
        #expect(result["SHELL"] == "/flag")
    }

    @Test(
        "does not take from the image what login decides",
        arguments: [
            "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS",
            "XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "PULSE_SERVER", "COLORTERM",
            "GALLIUM_DRIVER", "MESA_D3D12_DEFAULT_DEVICE_TYPE", "LIBGL_ALWAYS_SOFTWARE",
            "__NV_PRIME_RENDER_OFFLOAD",
            "__GLX_VENDOR_LIBRARY_NAME", "MOZ_FAKE_NO_SANDBOX", "ANDROID_ROOT", "BOOTCLASSPATH",
        ])
    func blocked(_ name: String) throws {
        var question = Question()
        question.manifest.settings.environment = ["\(name)=image", "TERM=image"]
        #expect(try environment(question)[name] == nil)
        #expect(try environment(question)["TERM"] == "xterm-256color")
        question.request.environment = [RawString("\(name)=mine")]
        #expect(try environment(question)[name] == "mine")
    }

    @Test("is only what was asked for and the terminal's in a minimal session")
    func minimal() throws {
        var question = Question()
        question.request.mode = .minimal
        question.manifest.settings.environment = ["A=image"]
        question.variables = ["COLORTERM": "truecolor", "CD_ENV": "B=2"]
        question.request.environment = ["C=3"]
        #expect(
            try environment(question) == [
                "TERM": "xterm-256color", "COLORTERM": "truecolor", "B": "2", "C": "3",
            ])
    }

    @Test("has the host's TERM only when the guest knows it")
    func terminal() throws {
        var question = Question()
        question.variables["TERM"] = "foot"
        #expect(try environment(question)["TERM"] == "xterm-256color")
        question.terminals = ["foot"]
        #expect(try environment(question)["TERM"] == "foot")
        question.request.environment = ["TERM=mine"]
        #expect(try environment(question)["TERM"] == "mine")
    }

    @Test("has Android's variables and Termux's programs last on Termux")
    func termux() throws {
        var question = Question()
        question.termux = Question.termux
        question.variables = ["ANDROID_ROOT": "/system", "EXTERNAL_STORAGE": "/sdcard", "OTHER": "x"]
        question.manifest.settings.environment = ["ANDROID_ROOT=/image"]
        let result = try environment(question)
        #expect(result["ANDROID_ROOT"] == "/system" && result["EXTERNAL_STORAGE"] == "/sdcard")
        #expect(result["OTHER"] == nil)
        #expect(result["MOZ_FAKE_NO_SANDBOX"] == "1" && result["PULSE_SERVER"] == "127.0.0.1")
        #expect(result["PATH"]?.hasSuffix(":/usr/games:/data/data/com.termux/files/usr/bin") == true)
        question.request.mode = .minimal
        #expect(try environment(question) == ["TERM": "xterm-256color"])
    }

    @Test("refuses a variable without a name", arguments: ["=x", "="])
    func noName(_ text: String) {
        var question = Question()
        question.request.environment = [RawString(text)]
        #expect(throws: LaunchError.badVariable(text)) { try question.plan() }
    }
}
