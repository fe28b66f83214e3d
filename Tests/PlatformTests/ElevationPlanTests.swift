import Libc
import Testing

@testable import Platform

@Suite("ElevationPlan") struct ElevationPlanTests {
    private let target = ElevationPlan.Target(
        program: "/opt/it's here/chroot-distro", handoff: "/proc/7/fd/5")

    @Test("the order of the tools")
    func order() {
        #expect(ElevationPlan.order(onTermux: false, prefersSudo: false) == [.sudo, .doas, .pkexec, .su])
        #expect(ElevationPlan.order(onTermux: true, prefersSudo: false) == [.su, .sudo])
        #expect(ElevationPlan.order(onTermux: true, prefersSudo: true) == [.sudo, .su])
    }

    @Test(
        "each tool's command line",
        arguments: [
            (.sudo, ["--", "/opt/it's here/chroot-distro", "--handoff=/proc/7/fd/5"]),
            (.doas, ["--", "/opt/it's here/chroot-distro", "--handoff=/proc/7/fd/5"]),
            (
                .pkexec,
                ["--disable-internal-agent", "/opt/it's here/chroot-distro", "--handoff=/proc/7/fd/5"]
            ),
            (.su, ["-c", #"exec '/opt/it'\''s here/chroot-distro' --handoff=/proc/7/fd/5"#, "root"]),
        ] as [(ElevationPlan.Tool, [RawString])])
    func commandLines(tool: ElevationPlan.Tool, expected: [RawString]) {
        #expect(ElevationPlan(tool, at: "/bin/tool", for: target).arguments == expected)
    }

    @Test(
        "the shell that su starts gets the program and its argument unharmed",
        arguments: ["/bin/sh", "/bin/bash", "/bin/zsh", "/usr/bin/fish"].filter {
            ProgramSearch.isProgram(HostPath($0))
        })
    func shells(shell: String) throws {
        let scratch = try Scratch()
        let name = "odd '\\ $(echo x) `y` \"z\" ;&|\u{1}\n*"
        try scratch.write(name, "#!/bin/sh\nprintf %s \"$#:$1\"")
        let program = RawString(scratch.path + "/" + name)
        program.withCString { _ = chmod($0, 0o755) }
        let plan = ElevationPlan(.su, at: "/bin/su", for: .init(program: program, handoff: "/proc/7/fd/5"))
        let line = try #require(plan.arguments.dropFirst().first)
        let result = try Spawn(HostPath(shell), ["-c", line], environment: [:]).capture(
            limit: 100, timeout: .seconds(20))
        #expect(result.output == Array("1:--handoff=/proc/7/fd/5".utf8))
    }

    @Test("an Android su gets the options that it has and the exports of Termux")
    func android() {
        let termux = Termux(package: "com.termux", prefix: "/p", home: "/h")
        var session = TermuxSession(termux, term: "xterm", preload: "/p/lib/x.so")
        var features = SuFeatures(
            help: Array("MagiskSU\n -mm, -M,\n --mount-master\n -s, --shell SHELL\n --interactive".utf8))
        session.shell = "/p/bin/bash"
        session.isInteractive = true
        let plan = ElevationPlan(su: "/system/bin/su", features: features, session: session, for: target)
        #expect(plan.arguments.dropLast() == ["--interactive", "--shell", "/p/bin/bash", "-c"])
        let line = plan.arguments.last?.text ?? ""
        let exports =
            "export HOME=/h/.suroot; export LANG=en_US.UTF-8; export LD_PRELOAD=/p/lib/x.so; "
            + "export PATH=/p/bin:/p/bin/applets:/system/bin:/system/xbin; export PREFIX=/p; "
        #expect(line.hasPrefix(exports) && line.hasSuffix(" --handoff=/proc/7/fd/5"))
        session.wantsMountMaster = true
        features.interactive = false
        #expect(
            ElevationPlan(su: "/su", features: features, session: session, for: target).arguments.first
                == "--mount-master")
    }

    @Test("the su of Termux that finds no root is known by its words")
    func stub() {
        #expect(SuFeatures(help: Array("No su program found on this device. Termux does".utf8)).isStub)
        #expect(!SuFeatures(help: Array("Usage: su [options]".utf8)).isStub)
    }
}
