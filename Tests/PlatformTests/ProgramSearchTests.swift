import Libc
import Testing

@testable import Platform

@Suite("ProgramSearch") struct ProgramSearchTests {
    private let host: (String) -> HostSystem = { release in
        var facts = HostSystem.Facts()
        facts.osRelease = Array(release.utf8)
        return HostSystem(facts)
    }

    @Test("only programs are found, in the order of the directories")
    func finds() throws {
        let scratch = try Scratch()
        for name in ["a", "b", "c"] { try scratch.makeDirectory(name) }
        try scratch.write("a/tool", "no x bit")
        try scratch.makeDirectory("b/tool")
        try scratch.write("c/tool")
        chmod(scratch.path + "/c/tool", 0o755)
        chmod(scratch.path + "/a/tool", 0o644)
        let path = ["a", "b", "c"].map { scratch.path + "/" + $0 }.joined(separator: ":")
        let search = ProgramSearch(["PATH": RawString(path)])
        #expect(search.find("tool") == HostPath(scratch.path + "/c/tool"))
        #expect(search.find("none") == nil)
    }

    @Test("directories that depend on where one is do not count")
    func relative() {
        #expect(ProgramSearch(["PATH": ":.:bin:/bin::"]).directories == ["/bin"])
        #expect(ProgramSearch(Environment()).directories.isEmpty)
    }

    @Test(
        "a missing program names its package here",
        arguments: [
            ("ID=debian", "proot", "apt install proot"), ("ID=debian", "newuidmap", "apt install uidmap"),
            ("ID=fedora", "newuidmap", "dnf install shadow-utils"),
            ("ID=arch", "xauth", "pacman -S xorg-xauth"),
            ("ID=alpine", "doas", "apk add doas"), ("ID=alpine", "qemu-aarch64", "apk add qemu-aarch64"),
            ("ID=ubuntu", "qemu-aarch64-static", "apt install qemu-user-static"),
            ("ID=debian", "docker-credential-pass", "apt install golang-docker-credential-helpers"),
            ("ID=debian", "mksquashfs", "apt install squashfs-tools"),
        ])
    func packages(release: String, program: String, command: String) {
        let missing = MissingProgram(program, on: host(release))
        #expect(missing.message == "the program \(program) is not installed")
        #expect(missing.hint == "Install it with: \(command)")
    }

    @Test("without knowledge the hint promises nothing")
    func unknown() {
        #expect(MissingProgram("frob\u{1b}", on: host("ID=debian")).hint?.contains("frob\\e") == true)
        #expect(MissingProgram("proot", on: host("ID=nixos")).hint == "It is in the package proot.")
    }

    @Test("on Termux the names are those of Termux")
    func termux() {
        var facts = HostSystem.Facts()
        facts.hasAndroidMarker = true
        facts.environment = Environment(entries: ["TERMUX_VERSION=1"])
        let host = HostSystem(facts)
        #expect(
            MissingProgram("qemu-x86_64", on: host).hint == "Install it with: pkg install qemu-user-x86-64")
        #expect(MissingProgram("pkexec", on: host).package == nil)
        #expect(ProgramSearch.trusted(on: host).directories.first == "/data/data/com.termux/files/usr/bin")
    }
}
