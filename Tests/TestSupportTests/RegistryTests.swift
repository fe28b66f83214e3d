import Libc
import Platform
import TestSupport
import Testing

@Suite("Registry", .scratch, .needsProgram("docker-registry", "skopeo", "gzip"), .needsFile("/bin/busybox"))
struct RegistryTests {
    @Test(
        "serves an image that was pushed, with and without a password", .needsProgram("htpasswd"),
        arguments: [false, true])
    func push(_ asksForPassword: Bool) throws {
        let image = try BusyboxImage.layout(in: Scratch.path)
        let process = try Registry.with(in: Scratch.path, asksForPassword: asksForPassword) { registry in
            try registry.push(image.layout, as: "team/busybox:1")
            let without = try Run.program(
                "skopeo", ["inspect", "--tls-verify=false", "docker://\(registry.address)/team/busybox:1"])
            #expect((without.status == .success) == !asksForPassword)
            return registry.log.rawValue
        }
        #expect(Processes.withArgument(process).isEmpty)
    }
}

@Suite("TestImage", .scratch, .needsProgram("umoci", "gzip"), .needsRoot)
struct TestImageTests {
    @Test("is an image that umoci unpacks with everything that was asked for", .needsFile("/bin/busybox"))
    func unpack() throws {
        let deep = String(repeating: "d/", count: 80) + "file"
        var upper = TarBuilder()
        upper.add("etc/.wh.group")
        upper.add("usr/null", .characterDevice, device: (1, 3))
        let image = try BusyboxImage.layout(in: Scratch.path, layers: [upper.archive]) { tar in
            tar.add(deep, text: "deep")
            tar.add("bin/ping", content: [1], mode: 0o4755, owner: 7, attributes: ["user.note": [1, 0, 2]])
        }
        try Run.succeeding(
            "umoci", ["unpack", "--image", "\(image.layout.rawValue):latest", (Scratch.path / "b").rawValue])
        let root = Scratch.path / "b/rootfs"
        #expect(try Run.shell("cat \"$1\"", (root / deep).rawValue) == "deep")
        #expect(try Run.shell("stat -c '%a %u' \"$1\"", (root / "bin/ping").rawValue) == "4755 7\n")
        #expect(try Run.shell("stat -c '%t %T' \"$1\"", (root / "usr/null").rawValue) == "1 3\n")
        #expect(access((root / "etc/group").rawValue, F_OK) != 0)
        #expect(try Run.succeeding("chroot", [root.rawValue, "id", "-u"]) == "0\n")
    }
}

@Suite("PrivateEtc", .scratch, .needsRoot, .needsProgram("unshare", "setpriv", "useradd"))
struct PrivateEtcTests {
    @Test("has a user who becomes root", .needsProgram("sudo", "doas"), arguments: ["sudo", "doas"])
    func elevation(_ program: String) throws {
        let etc = try Mountinfo.unchanged { try PrivateEtc(in: Scratch.path) }
        #expect(try etc.asUser("id", ["-un"]).stdout == "cdtester\n")
        let outcome = try etc.asUser(program, ["id", "-u"])
        #expect(outcome.stdout == "0\n", "\(outcome.stderr)")
        #expect(try Run.program("id", ["cdtester"]).status != .success)
    }
}
