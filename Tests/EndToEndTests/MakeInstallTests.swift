import Libc
import Platform
import TestSupport
import Testing

@Suite("make install", .scratch, .needsProgram("make", "install"))
struct MakeInstallTests {
    private static let repository = HostPath(#filePath).parent.parent.parent

    /// Runs a target of the Makefile with the program under test.
    private func make(_ target: String) throws {
        try Run.succeeding(
            "make",
            [
                "-C", Self.repository.rawValue, target, "DESTDIR=\(Scratch.path)", "PREFIX=/usr",
                "BINARY=\(BuiltBinary.path)",
            ])
    }

    @Test("puts everything where it belongs, and uninstall takes it away")
    func files() throws {
        try make("install")
        let all = try Run.shell(
            "cd \"$1\" && find . -type f -printf '%P %m\\n' | sort", Scratch.path.rawValue)
        let lines = Set(all.split(separator: "\n").map(String.init))
        let pages =
            EveryCommand.names.map { $0.replacing(" ", with: "-") } + ["image", "registry", "image-pull"]
        let expected =
            [
                "usr/bin/chroot-distro 755", "usr/share/bash-completion/completions/chroot-distro 644",
                "usr/share/zsh/site-functions/_chroot-distro 644",
                "usr/share/fish/vendor_completions.d/chroot-distro.fish 644",
                "usr/share/man/man1/chroot-distro.1 644",
            ] + pages.map { "usr/share/man/man1/chroot-distro-\($0).1 644" }
        for line in expected { #expect(lines.contains(line), "\(line)\n\(all)") }
        try make("uninstall")
        #expect(try Run.shell("find \"$1\" -type f", Scratch.path.rawValue).isEmpty)
    }

    @Test("gives manual pages that man finds and accepts", .needsProgram("man"))
    func manual() throws {
        try make("install")
        let page = try Run.shell(
            "MANPATH=\"$1/usr/share/man\" MANWIDTH=80 man --warnings chroot-distro-install 2>&1",
            Scratch.path.rawValue)
        #expect(page.contains("chroot-distro install"))
        #expect(!page.contains("warning"))
    }

    @Test(
        "gives completions that know the containers", .needsRoot, .needsFile("/bin/busybox"),
        .needsProgram("bash"))
    func completion() throws {
        try make("install")
        let program = Program()
        try program.install("debian")
        try program.install("box")
        var environment = program.environment
        environment["PATH"] = "\(Scratch.path)/usr/bin:/usr/bin:/bin"
        let script = """
            source "$1/usr/share/bash-completion/completions/chroot-distro"
            COMP_WORDS=(chroot-distro "${@:2}") COMP_CWORD=$(($# - 1)) COMP_LINE="chroot-distro ${*:2}"
            COMP_POINT=${#COMP_LINE}
            __chroot_distro_complete
            echo "${COMPREPLY[@]}"
            """
        let cases: [([String], String)] = [
            (["login", "de"], "debian"), (["remove", "box", "d"], "debian"), (["rename", ""], "box debian"),
            (["kill", ""], ""), (["login", "--user", "root", "b"], "box"), (["unm"], "unmount"),
        ]
        for (words, expected) in cases {
            let outcome = try Run.program(
                "bash", ["--norc", "-c", script, "bash", Scratch.path.rawValue] + words,
                environment: environment)
            let offered = outcome.stdout.split { " \n".contains($0) }.sorted().joined(separator: " ")
            #expect(offered == expected, "\(words): \(outcome.stderr)")
        }
    }
}
