import Libc
import Platform
import Store
import Testing

@testable import chroot_distro

@Suite("What doctor makes of")
struct DoctorJudgementTests {
    private static func host(_ machine: String, osRelease: String = "ID=debian\n") -> HostSystem {
        var facts = HostSystem.Facts()
        facts.machine = machine
        facts.osRelease = Array(osRelease.utf8)
        return HostSystem(facts)
    }

    // MARK: - Kernel

    @Test("a feature: it works, it is missing, or nobody may ask", arguments: KernelFeature.allCases)
    func feature(_ feature: KernelFeature) {
        func judge(_ trial: Trial, isRoot: Bool) -> Finding {
            KernelExamination.judge(feature, trial, isRoot: isRoot, release: "4.19")
        }
        #expect(judge(.works, isRoot: false).severity == .ok)
        let missing = judge(.refused(ENOSYS), isRoot: false)
        #expect(missing.severity != .ok && missing.summary.contains("Function not implemented"))
        #expect(missing.summary.contains("4.19") && missing.reason != nil)
        #expect(judge(.refused(EPERM), isRoot: false).remedy == "sudo chroot-distro doctor")
        #expect(judge(.refused(EPERM), isRoot: true).severity == missing.severity)
        #expect(judge(.killed(signal: SIGSYS), isRoot: true).summary.contains("SIGSYS"))
    }

    @Test("the mount namespace: a problem without it, and only that one is")
    func problem() {
        let problems = KernelFeature.allCases.filter {
            KernelExamination.judge($0, .refused(EINVAL), isRoot: true, release: "").severity == .problem
        }
        #expect(problems == [.mountNamespace])
    }

    @Test("the switches for user namespaces", arguments: [(0, "warning"), (1, "ok"), (nil, "")])
    func limits(_ most: Int?, _ severity: String) {
        let findings = KernelExamination.limits { $0.rawValue.hasSuffix("max_user_namespaces") ? most : nil }
        #expect(findings.first?.severity.rawValue ?? "" == severity)
        let off = KernelExamination.limits { $0.rawValue.hasSuffix("userns_clone") ? 0 : nil }
        #expect(off.map(\.id) == ["kernel.user-namespace-switch"])
    }

    @Test("control groups")
    func groups() {
        typealias Controllers = Set<ResourceLimits.Controller>
        let all = Controllers(ResourceLimits.Controller.allCases)
        let cases: [(Bool, Controllers, Controllers, Finding.Severity, String)] = [
            (true, all, [], .ok, "version 2"), (false, [], all, .ok, "version 1"),
            (true, [], all, .ok, "versions 1 and 2"), (true, [.cpu, .pids], [], .note, "without memory"),
            (false, [], [], .note, "no control groups"), (true, [], [], .note, "without memory, cpu, pids"),
        ]
        for (hasUnified, unified, legacy, severity, text) in cases {
            let finding = ControlGroupExamination.judge(hasUnified: hasUnified, unified, legacy: legacy)
            #expect(finding.severity == severity && finding.summary.contains(text), "\(finding.summary)")
        }
    }

    // MARK: - Other machines

    private static func registration(_ flags: String, enabled: Bool = true) -> String {
        """
        \(enabled ? "enabled" : "disabled")
        interpreter /usr/bin/qemu-aarch64-static
        flags: \(flags)
        offset 0
        magic 7f454c460201010000000000000000000200b700
        mask ffffffffffffff00fffffffffffffffffeffffff
        """
    }

    @Test(
        "an emulator",
        arguments: [
            ("OCF", true, true, "ok"), ("OCF", true, false, "ok"), ("OC", true, true, "warning"),
            ("OC", true, false, "note"), ("F", false, true, "problem"), ("F", false, false, "note"),
        ])
    func emulator(_ flags: String, _ isEnabled: Bool, _ isNeeded: Bool, _ severity: String) throws {
        let entry = try #require(BinfmtExamination.Entry(Self.registration(flags, enabled: isEnabled)))
        #expect(entry.architecture == .aarch64 && entry.isEnabled == isEnabled)
        let finding = BinfmtExamination.judge(
            .aarch64, isEnabled ? entry : nil, host: Self.host("x86_64"), isNeeded: isNeeded, isMounted: true,
            exists: { _ in true })
        #expect(finding.id == "binfmt.aarch64" && finding.severity.rawValue == severity)
        if severity == "problem" {
            #expect(finding.remedy == "Install it with: apt install qemu-user-static")
        }
    }

    @Test("an emulator whose file is gone")
    func goneEmulator() throws {
        let entry = try #require(BinfmtExamination.Entry(Self.registration("F")))
        let finding = BinfmtExamination.judge(
            .aarch64, entry, host: Self.host("x86_64"), isNeeded: true, isMounted: true,
            exists: { _ in false })
        #expect(finding.severity == .warning && finding.summary.contains("/usr/bin/qemu-aarch64-static"))
    }

    @Test(
        "garbage in binfmt_misc",
        arguments: ["", "enabled", "enabled\nmagic zz", "enabled\ninterpreter /x\nmagic 7"])
    func garbage(_ text: String) { #expect(BinfmtExamination.Entry(text)?.architecture == nil) }

    @Test("what a processor runs by itself")
    func native() {
        #expect(BinfmtExamination.runsNatively(.i686, on: Self.host("x86_64")))
        #expect(BinfmtExamination.runsNatively(.arm, on: Self.host("aarch64")))
        #expect(!BinfmtExamination.runsNatively(.x86_64, on: Self.host("i686")))
    }

    // MARK: - Becoming root

    @Test("the rules of setup: only ours are looked at")
    func rules() {
        #expect(ElevationExamination.programs(in: SudoersRule.text("/usr/bin/cd")) == ["/usr/bin/cd"])
        #expect(ElevationExamination.programs(in: "permit x\n" + DoasRule.section("/opt/cd")) == ["/opt/cd"])
        #expect(ElevationExamination.programs(in: "%sudo ALL=(ALL) ALL\n#%chroot-distro /x\n").isEmpty)
    }

    @Test("a program that somebody else could replace")
    func replaceable() {
        let file: HostPath = "/etc/sudoers.d/chroot-distro"
        let cases: [(RootOnlyPath.Flaw?, Finding.Severity)] = [
            (nil, .ok), (.writable("/opt", 0o777), .problem), (.owner("/opt", 1000), .problem),
            (.unreadable("/opt/cd", SystemError("open", code: ENOENT)), .warning),
        ]
        for (flaw, severity) in cases {
            let finding = ElevationExamination.judge("/opt/cd", in: file, flaw: flaw)
            #expect(finding.severity == severity && finding.summary.contains("/opt"))
        }
        #expect(ElevationExamination.judge([], host: Self.host("x86_64")).severity == .warning)
    }

    // MARK: - Network

    @Test("name servers")
    func resolver() {
        func judge(_ text: String?) -> Finding {
            NetworkExamination.resolver(text, given: "nameserver 9.9.9.9\n")
        }
        #expect(judge("nameserver 192.168.1.1\n").severity == .ok)
        #expect(judge("# nothing\n").severity == .note)
        #expect(judge(nil).severity == .warning)
        #expect(judge(nil).summary.contains("9.9.9.9"))
        #expect(NetworkExamination.servers(in: "nameserver\tx\u{1b}[2J\nnameserver\n") == ["x\\e[2J"])
        #expect(NetworkExamination.hosts("127.0.0.1\tlocalhost\n").severity == .ok)
        #expect(NetworkExamination.hosts("# 127.0.0.1 localhost\n").severity == .note)
        #expect(NetworkExamination.hosts(nil).severity == .note)
    }

    // MARK: - Desktop

    @Test("graphics")
    func graphics() {
        #expect(DesktopExamination.graphics(nodes: ["dri/card0"], hasNvidiaDriver: false).severity == .ok)
        #expect(DesktopExamination.graphics(nodes: [], hasNvidiaDriver: false).severity == .note)
        #expect(DesktopExamination.graphics(nodes: ["nvidiactl"], hasNvidiaDriver: true).severity == .warning)
    }

    @Test(
        "a display",
        arguments: [
            (
                ["WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/run/user/1"], "/run/user/1/wayland-0",
                "display.wayland"
            ),
            (["WAYLAND_DISPLAY": "/run/w"], "/run/w", "display.wayland"),
            (["DISPLAY": ":12.0"], "/tmp/.X11-unix/X12", "display.x11"),
        ])
    func display(_ variables: [String: String], _ socket: String, _ id: String) {
        let environment = Environment(variables.map { (RawString($0.key), RawString($0.value)) })
        let found = DesktopExamination.display(environment) { $0.rawValue == socket }
        #expect(found.map(\.id) == [id] && found.first?.severity == .ok)
        let lost = DesktopExamination.display(environment) { _ in false }
        #expect(lost.first?.severity == .warning && lost.first?.summary.contains(socket) == true)
    }

    @Test("no display, one over the network, and a lost cookie")
    func otherDisplays() {
        #expect(DesktopExamination.display([:]) { _ in false }.map(\.id) == ["display.none"])
        let remote: Environment = ["DISPLAY": "localhost:10.0", "XAUTHORITY": "/gone"]
        let findings = DesktopExamination.display(remote) { _ in false }
        #expect(findings.map(\.severity) == [.ok, .warning] && findings.last?.id == "display.xauthority")
    }

    @Test(
        "sound",
        arguments: [
            (["XDG_RUNTIME_DIR": "/run/user/1"], "/run/user/1/pulse/native", true),
            (["XDG_RUNTIME_DIR": "/run/user/1"], "/run/user/1/pipewire-0", true),
            (["PULSE_SERVER": "unix:/run/p"], "/run/p", true), (["PULSE_SERVER": "tcp:host"], "", true),
            (["XDG_RUNTIME_DIR": "/run/user/1"], "/other", false), ([:], "/pulse/native", false),
        ])
    func sound(_ variables: [String: String], _ socket: String, _ isThere: Bool) {
        let environment = Environment(variables.map { (RawString($0.key), RawString($0.value)) })
        let findings = DesktopExamination.sound(environment) { $0.rawValue == socket }
        #expect(findings.map(\.severity) == [isThere ? .ok : .note])
    }

    // MARK: - Guards

    @Test("SELinux, AppArmor and Yama")
    func guards() {
        #expect(SecurityExamination.selinux(enforcing: nil).severity == .ok)
        #expect(SecurityExamination.selinux(enforcing: "0").severity == .ok)
        #expect(SecurityExamination.selinux(enforcing: "1").severity == .note)
        #expect(SecurityExamination.appArmor(enabled: "Y", restricts: "1").severity == .note)
        #expect(SecurityExamination.appArmor(enabled: "Y", restricts: nil).severity == .ok)
        #expect(SecurityExamination.appArmor(enabled: nil, restricts: "1").severity == .ok)
        #expect(SecurityExamination.yama(scope: "3").severity == .note)
        #expect(SecurityExamination.yama(scope: "1").severity == .ok)
    }

    @Test(
        "the name of a distribution", arguments: [("PRETTY_NAME=\"A \u{1b}B\"\n", "A \\eB"), ("ID=x\n", nil)])
    func distribution(_ text: String, _ name: String?) { #expect(HostReport.distribution(text) == name) }
}
