import Libc
import Testing

@testable import Platform

@Suite("Elevation") struct ElevationTests {
    private let host = HostSystem(HostSystem.Facts())

    @Test("forbidden by flag or variable, it does not start anything")
    func forbidden() {
        let variable: Environment = ["CHROOT_DISTRO_NO_ELEVATE": "1", "PATH": "/bin:/usr/bin"]
        for elevation in [
            Elevation(noElevate: true, useSudo: false, environment: [:], host: host),
            Elevation(noElevate: false, useSudo: false, environment: variable, host: host),
        ] { #expect(throws: ElevationError.forbidden) { try elevation.run(["login"]) } }
    }

    @Test("the first tool that is installed is taken; none is an error that names them all")
    func tools() throws {
        let scratch = try Scratch()
        let target = ElevationPlan.Target(program: "/p", handoff: "/proc/7/fd/5")
        let elevation = Elevation(
            noElevate: false, useSudo: false, environment: ["PATH": RawString(scratch.path)], host: host)
        #expect(throws: ElevationError.noTool(host)) { try elevation.plan(for: target) }
        for tool in ["su", "pkexec", "doas", "sudo"] {
            try scratch.write(tool)
            chmod(scratch.path + "/" + tool, 0o755)
            #expect(try elevation.plan(for: target).tool.rawValue == tool)
        }
        let hint = ElevationError.noTool(host).hint ?? ""
        #expect(["sudo", "doas (package opendoas)", "pkexec"].allSatisfy { hint.contains($0) })
    }

    @Test("an argument list without a handoff is nobody's")
    func ordinary() throws {
        #expect(try Elevation.receive(from: [], environment: [:]) == nil)
        #expect(try Elevation.receive(from: ["login", "--handoff=/proc/7/fd/5"], environment: [:]) == nil)
    }

    @Test(
        "a handoff that names nothing right is refused", .enabled(if: geteuid() == 0, "needs root"),
        arguments: [["--handoff="], ["--handoff=/etc/passwd"], ["--handoff=/proc/7/fd/5", "more"]]
            as [[RawString]])
    func wrong(arguments: [RawString]) {
        #expect(throws: ElevationError.self) { try Elevation.receive(from: arguments, environment: [:]) }
    }

    @Test(
        "a tool that did not make us root is not tried again",
        .enabled(if: geteuid() != 0, "needs not to be root"))
    func loop() {
        #expect(throws: ElevationError.loop) {
            try Elevation.receive(from: ["--handoff=/proc/7/fd/5"], environment: [:])
        }
    }
}
