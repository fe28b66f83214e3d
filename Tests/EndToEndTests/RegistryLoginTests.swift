import Libc
import Platform
import TestSupport
import Testing

@Suite("registry login", .scratch, .needsProgram("docker-registry", "htpasswd"))
struct RegistryLoginTests {
    private func program() -> Program {
        var program = Program()
        program.environment["HOME"] = Scratch.path.rawValue
        return program
    }

    private func config() throws -> String {
        try Run.shell("cat \"$1/.docker/config.json\"", Scratch.path.rawValue)
    }

    @Test("checks the password, keeps it where nobody else reads it, and forgets it again")
    func roundTrip() throws {
        let program = program()
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            let password = Array("\(Registry.password)\n".utf8)
            let wrong = try program.run(
                "registry", "login", registry.address, "-u", Registry.user, "--password-stdin",
                input: Array("wrong\n".utf8))
            #expect(wrong.status == .failure && wrong.stderr.contains("does not accept"))
            #expect(access("\(Scratch.path)/.docker/config.json", F_OK) != 0)
            let outcome = try program.succeed(
                "registry", "login", registry.address, "-u", Registry.user, "--password-stdin",
                input: password)
            #expect(!outcome.stderr.contains(Registry.password) && outcome.stderr.contains("config.json"))
            #expect(
                try Run.shell("stat -c %a \"$1/.docker/config.json\" \"$1/.docker\"", Scratch.path.rawValue)
                    == "600\n700\n")
            try program.succeed("registry", "logout", registry.address)
            #expect(try !config().contains(registry.address))
            #expect(try program.succeed("registry", "logout", registry.address).stderr.contains("Nobody"))
        }
    }

    @Test(
        "is what pushing and pulling then use, and asks on the terminal without showing what is typed",
        .needsRoot,
        .needsFile("/bin/busybox"))
    func terminal() throws {
        let rig = try ImageRig()
        var program = rig.program
        program.environment["HOME"] = Scratch.path.rawValue
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            var terminal = try program.onTerminal("registry", "login", registry.address)
            _ = try terminal.wait(for: "User name")
            try terminal.type("\(Registry.user)\r")
            _ = try terminal.wait(for: "Password")
            try terminal.type("\(Registry.password)\r")
            #expect(try terminal.finish() == .success)
            #expect(!terminal.text.contains(Registry.password), "\(terminal.text)")
            try program.succeed("push", "box:1", "\(registry.address)/box:1")
            try program.succeed("clear-cache")
            try program.succeed("pull", "\(registry.address)/box:1")
        }
    }

    @Test("without a terminal it says how else the password can be given")
    func noTerminal() throws {
        let outcome = try program().run("registry", "login", "localhost:1")
        #expect(outcome.status == .failure && outcome.stderr.contains("--password-stdin"))
        for words in [
            ["not a host", "-u", "x"], ["word", "-u", "x"], ["localhost:1", "-u", "a:b"],
            ["a.b/c", "-u", "x"],
        ] {
            let refused = try Run.program(
                BuiltBinary.path, ["registry", "login"] + words, environment: program().environment)
            #expect(refused.status == .failure && refused.stderr.contains("Error:"), "\(words)")
        }
    }
}

@Suite("search", .scratch, .needsProgram("python3"))
struct SearchTests {
    @Test("lists what the server has, escaped, as a table, as names and as JSON, and never becomes root")
    func listing() throws {
        let layout = try TestImage(at: Scratch.path / "empty", layers: [])
        try Front.with(layout.layout, in: Scratch.path) { front in
            var program = Program()
            program.environment["CD_HUB_URL"] = "http://\(front.addresses[0])"
            let table = try program.succeed("search", "next cloud")
            #expect(table.lines.isEmpty && table.stderr.contains("nothing"))
            let found = try program.succeed("se", "debian")
            #expect(
                found.lines.count == 4 && found.lines[1].contains("[OK]") && found.stdout.contains("13.3B"))
            #expect(!found.stdout.unicodeScalars.contains { $0.value == 27 || $0.value == 0x202e })
            #expect(
                try program.succeed("find", "-q", "--limit", "2", "debian").lines == ["debian0", "debian1"])
            let document = try program.succeed("search", "--json", "debian").stdout
            #expect(document.contains("\"pulls\" : 13300000000") && document.contains("\"results\""))
            #expect(try program.succeed("search", "-q", "wrong").lines == ["wrong0"])
            #expect(try front.requests().contains { $0.contains("next%20cloud") })
            program.environment["CD_DOWNLOAD_MAX_RETRIES"] = "0"
            for word in ["broken", "notjson"] {
                let outcome = try program.run("search", word)
                #expect(outcome.status == .failure && outcome.stderr.contains("Error:"), "\(word)")
            }
            guard geteuid() == 0, Run.find("setpriv") != nil else { return }
            let copy = Scratch.path / "program"
            try Run.shell(
                "cp \"$1\" \"$2\"; chmod 755 \"$3\"", BuiltBinary.path, copy.rawValue, Scratch.path.rawValue)
            let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", copy.rawValue]
            let outcome = try Run.program(
                "setpriv", nobody + ["search", "-q", "debian"], environment: program.environment)
            #expect(outcome.status == .success && outcome.lines.count == 3, "\(outcome.stderr)")
        }
    }
}
