import Testing

@testable import Platform

@Suite("HostSystem") struct HostSystemTests {
    private func facts(android: Bool, version: String?, prefix: Bool) -> HostSystem.Facts {
        var facts = HostSystem.Facts()
        facts.hasAndroidMarker = android
        if let version { facts.environment = [RawString(version): "0.118"] }
        facts.isReachable = { path in prefix && path == "/data/data/com.termux/files/usr" }
        return facts
    }

    @Test(
        "two of three signs make a Termux",
        arguments: [
            (false, nil, false, false), (true, nil, false, false), (false, "TERMUX_VERSION", false, false),
            (false, nil, true, false), (true, "TERMUX_VERSION", false, true), (true, nil, true, true),
            (false, "TERMUX_APP__APP_VERSION_NAME", true, true), (true, "TERMUX_VERSION", true, true),
        ] as [(Bool, String?, Bool, Bool)])
    func signs(android: Bool, version: String?, prefix: Bool, expected: Bool) {
        let host = HostSystem(facts(android: android, version: version, prefix: prefix))
        #expect((host.termux != nil) == expected)
    }

    @Test("the places follow the package, and each variable overrides")
    func places() {
        var facts = facts(android: true, version: "TERMUX_VERSION", prefix: false)
        facts.environment["TERMUX_APP__PACKAGE_NAME"] = "org.other"
        #expect(
            HostSystem(facts).termux
                == Termux(
                    package: "org.other", prefix: "/data/data/org.other/files/usr",
                    home: "/data/data/org.other/files/home"))
        facts.environment["TERMUX__PREFIX"] = "/p"
        facts.environment["TERMUX__HOME"] = "/h"
        facts.environment["TERMUX_APP__PACKAGE_NAME"] = ""
        #expect(HostSystem(facts).termux == Termux(package: "com.termux", prefix: "/p", home: "/h"))
    }

    @Test("this machine has an architecture and a kernel")
    func here() {
        let host = HostSystem.detect(environment: Environment())
        #expect(host.architecture != nil)
        #expect(!host.kernelRelease.isEmpty)
        #expect(host.termux == nil)
    }

    @Test(
        "machines by the names that uname has for them",
        arguments: [
            ("x86_64", Architecture.x86_64), ("aarch64", .aarch64), ("armv7l", .arm), ("armv8l", .arm),
            ("i586", .i686),
            ("riscv64", .riscv64), ("s390x", nil), ("", nil),
        ] as [(String, Architecture?)])
    func machines(name: String, expected: Architecture?) { #expect(Architecture(uname: name) == expected) }

    @Test(
        "a distribution belongs to the family of its closest relative",
        arguments: [
            ("ID=debian\n", Distribution.Family.debian),
            ("ID=\"linuxfoo\"\nID_LIKE=\"ubuntu debian\"\n", .debian),
            ("NAME=x\nID='rocky'\nID_LIKE=\"rhel centos fedora\"", .fedora), ("ID=arch", .arch),
            ("ID=alpine", .alpine),
            ("ID=nixos", nil), ("", nil), ("no equals\n\u{0}=\n", nil),
        ] as [(String, Distribution.Family?)])
    func families(text: String, expected: Distribution.Family?) {
        #expect(Distribution(osRelease: Array(text.utf8)).family == expected)
    }
}
