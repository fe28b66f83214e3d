import Libc
import Platform
import TestSupport
import Testing

@Suite(
    "Becoming root", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("sudo", "doas", "setpriv", "useradd"))
struct ElevationTests {
    @Test("keeps arguments, status, working directory and the named variables", arguments: ["sudo", "doas"])
    func kept(_ way: String) throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        environment["PATH"] = try pathWith(only: way)
        environment["CD_ENV"] = "KEPT=yes"
        let copy = try copyOfProgram()
        try TestImage.write("here", to: etc.home / "file")
        let outcome = try etc.asUser(
            copy,
            [
                "login", "box", "-b", "./file:/mnt/file", "--", "sh", "-c",
                "cat /mnt/file; echo \"|$KEPT|$1\"; exit 7", "x", "a  b",
            ],
            environment: environment, directory: etc.home)
        #expect(outcome.stdout == "here|yes|a  b\n", "\(outcome.stderr)")
        #expect(outcome.status == ExitStatus(code: 7))
    }

    @Test("lets its caller end a session that has no terminal", arguments: ["TERM", "KILL"])
    func ended(_ signal: String) throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        environment["PATH"] = try pathWith(only: "sudo")
        let script = """
            "$0" login box -- sh -c 'trap "exit 42" TERM HUP; echo ready; while :; do sleep 0.1; done' \
                </dev/null >"$HOME/said" & pid=$!
            while ! grep -q ready "$HOME/said"; do sleep 0.1; done
            kill -\(signal) $pid
            wait $pid
            echo "ended: $?"
            """
        let outcome = try etc.asUser(
            "/bin/sh", ["-c", script, try copyOfProgram()], environment: environment)
        #expect(outcome.stdout.contains(signal == "TERM" ? "ended: 42" : "ended: 137"), "\(outcome.stderr)")
        #expect(try Waiting.until { try program.succeed("ps", "-q").lines.isEmpty })
    }

    @Test("leaves no variable of anybody's with the holder, although they were set anew on the way")
    func holder() throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        environment["PATH"] = try pathWith(only: "sudo")
        environment["CD_SECRET_OF_THE_CALLER"] = "s3cret"
        var terminal = try etc.onTerminal(
            try copyOfProgram(), ["login", "box", "--", "sh", "-c", "echo re''ady; read x"],
            environment: environment)
        try terminal.wait(for: "ready")
        let holders = Processes.inMounts(of: Scratch.path).filter { $0.name == "cd-holder" }
        #expect(holders.count == 1)
        for holder in holders {
            for file in ["environ", "cmdline"] {
                let text = try Run.program("cat", ["/proc/\(holder.pid)/\(file)"]).stdout
                #expect(!text.contains("=") && !text.contains("s3cret"), "\(file): \(Quoted(text))")
            }
        }
        try terminal.type("\n")
        _ = try terminal.finish()
    }

    @Test("asks a credential helper as the user, never as root", .needsProgram("python3"))
    func helper() throws {
        let program = Program()
        let etc = try PrivateEtc(in: Scratch.path)
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Run.shell(
            "mkdir $1/.docker; echo '{\"credsStore\":\"spy\"}' >$1/.docker/config.json", etc.home.rawValue)
        try TestImage.write(
            "#!/bin/sh\nid -u >\"$HOME/asked\"; echo '{\"Username\":\"user\",\"Secret\":\"secret\"}'\n",
            to: Scratch.path / "docker-credential-spy")
        try Run.shell(
            "chmod 755 $1/docker-credential-spy; chown -R --reference=$2 $2", Scratch.path.rawValue,
            etc.home.rawValue)
        try Front.with(image.layout, in: Scratch.path) { front in
            // The helper is put among the host's programs for these two processes alone.
            let script =
                "mkdir -p $1/bin; cp /usr/local/bin/* $1/bin/ 2>/dev/null; cp $1/docker-credential-spy $1/bin/; mount --bind $1/bin /usr/local/bin; mount --bind $1/etc /etc; shift; exec setpriv --reuid \(PrivateEtc.user) --regid \(PrivateEtc.user) --init-groups --inh-caps=-all \"$@\""
            let outcome = try Run.program(
                "unshare",
                [
                    "--mount", "--propagation", "private", "sh", "-c", script, "sh", Scratch.path.rawValue,
                    try copyOfProgram(), "install", front.reference(), "--name", "box",
                ],
                environment: program.environment.merging(["HOME": etc.home.rawValue]) { $1 })
            #expect(outcome.status == .success, "\(outcome.stderr)")
        }
        let user = try Run.shell("stat -c %u $1", etc.home.rawValue)
        #expect(try Run.shell("cat $1/asked", etc.home.rawValue) == user)
    }

    @Test("is not tried with --no-elevate, and says who would have to")
    func never() throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        let outcome = try etc.asUser(
            try copyOfProgram(), ["--no-elevate", "login", "box", "--", "true"],
            environment: program.environment)
        #expect(outcome.status == .failure)
        #expect(outcome.stderr.contains("root"))
    }

    @Test(
        "leaves the statuses of what could not run, and of what a signal ended", arguments: ["sudo", "doas"])
    func statuses(_ way: String) throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        environment["PATH"] = try pathWith(only: way)
        let copy = try copyOfProgram()
        let cases: [([String], Int32)] = [
            (["no-such-command"], 127), (["/etc/passwd"], 126), (["sh", "-c", "kill -TERM $$"], 143),
            (["sh", "-c", "kill -KILL $$"], 137), (["true"], 0),
        ]
        for (command, code) in cases {
            let outcome = try etc.asUser(copy, ["login", "box", "--"] + command, environment: environment)
            #expect(outcome.status == ExitStatus(code: code), "\(command): \(outcome.stderr)")
        }
    }

    @Test(
        "hands secrets over, and on no command line", .needsProgram("htpasswd"), arguments: ["sudo", "doas"])
    func secrets(_ way: String) throws {
        let program = Program()
        let etc = try PrivateEtc(in: Scratch.path)
        let secret = "TopSecret-\(UInt32.random(in: 0 ... .max))"
        var environment = program.environment
        environment["PATH"] = try pathWith(only: way)
        environment["CD_ENV"] = "TOKEN=\(secret)"
        environment["CD_DOCKER_AUTH"] = "\(Registry.user):\(Registry.password)"
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            try registry.push(image.layout, as: "box:1")
            // Meanwhile every command line of this test's programs is looked at.
            let script = """
                { "$0" install "$1/box:1" && "$0" login box -- sh -c 'sleep 1; echo "got $TOKEN"'; } & pid=$!
                while kill -0 $pid 2>/dev/null; do
                    for process in /proc/[0-9]*; do tr '\\0' ' ' <$process/cmdline; echo; done 2>/dev/null
                done | grep -aF "${0%/*}" >&2
                """
            let outcome = try etc.asUser(
                "/bin/sh", ["-c", script, try copyOfProgram(), registry.address], environment: environment)
            #expect(outcome.stdout == "got \(secret)\n", "\(outcome.stderr)")
            #expect(outcome.stderr.contains("--handoff="))
            #expect(!outcome.stderr.contains(secret) && !outcome.stderr.contains(Registry.password))
        }
    }

    @Test(
        "finds the settings and the credentials in the home of the user", .needsProgram("htpasswd", "base64"))
    func settings() throws {
        let program = Program()
        let etc = try PrivateEtc(in: Scratch.path)
        let image = try BusyboxImage.layout(in: Scratch.path)
        let copy = try copyOfProgram()
        try Registry.with(in: Scratch.path, asksForPassword: true) { registry in
            try registry.push(image.layout, as: "library/box:latest")
            let words = Array("\(Registry.user):\(Registry.password)".utf8)
            let secret = try Run.succeeding("base64", ["-w0"], input: words)
            let home = etc.home.rawValue
            try Run.shell("mkdir -p \"$1/.docker\" \"$1/.config/chroot-distro\" \"$1/run/containers\"", home)
            let auths = #"{"auths":{"\#(registry.address)":{"auth":"\#(secret)"}}}"#
            try TestImage.write(
                #"{"registries":{"docker.io":{"mirrors":["\#(registry.address)"]}}}"#,
                to: etc.home / ".config/chroot-distro/config.json")
            var environment = program.environment
            let files = [".docker/config.json", "run/containers/auth.json", ".config/containers/auth.json"]
            environment["XDG_RUNTIME_DIR"] = "\(home)/run"
            for (number, file) in files.enumerated() {
                try Run.shell(
                    "cd \"$1\" && mkdir -p .config/containers && rm -f \(files.joined(separator: " "))", home)
                try TestImage.write(auths, to: etc.home / file)
                let outcome = try etc.asUser(
                    copy, ["install", "box", "--pull=always", "-n", "box\(number)"], environment: environment)
                #expect(outcome.status == .success, "\(file): \(outcome.stderr)")
            }
        }
    }

    @Test(
        "leads to a session with the terminal: its size, what is typed, and Ctrl-C",
        arguments: ["sudo", "doas"])
    func terminal(_ way: String) throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        environment["PATH"] = try pathWith(only: way)
        let script = """
            trap 'echo caught; exit 4' INT
            stty size; read line; echo "got $line"
            while :; do sleep 0.1; done
            """
        var terminal = try etc.onTerminal(
            try copyOfProgram(), ["login", "box", "--", "sh", "-c", script], environment: environment)
        try terminal.wait(for: "24 80")
        try terminal.type("hello\n")
        try terminal.wait(for: "got hello")
        try terminal.type("\u{3}")
        try terminal.wait(for: "caught")
        #expect(try terminal.finish() == ExitStatus(code: 4), "\(terminal.text)")
    }

    @Test("goes on in / when the working directory has been removed")
    func removedDirectory() throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        let outcome = try etc.asUser(
            "/bin/sh",
            [
                "-c", "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" login box -- echo in",
                try copyOfProgram(),
            ], environment: program.environment, directory: etc.home)
        #expect(outcome.stdout == "in\n", "\(outcome.stderr)")
        #expect(outcome.stderr.contains("gone"))
    }

    @Test(
        "is never tried to look at something",
        arguments: [
            ["list"], ["list", "--json"], ["ps"], ["ps", "-a"], ["help"], ["help", "install"], ["-V"],
            ["--help"],
            ["login", "--help"], ["info"], ["info", "--json"], ["doctor"], ["doctor", "--json"], ["events"],
            ["__complete", "containers"],
        ])
    func looking(_ command: [String]) throws {
        let program = try Program.with("box")
        let etc = try PrivateEtc(in: Scratch.path)
        var environment = program.environment
        let directory = try pathWith(only: "none")
        environment["PATH"] = directory
        try Run.shell(
            """
            for way in sudo doas pkexec su; do
                printf '#!/bin/sh\\necho "$0 $*" >>%s/tried\\n' "$2" >"$1/$way"
                chmod 755 "$1/$way"
            done
            """, directory, etc.home.rawValue)
        let outcome = try etc.asUser(try copyOfProgram(), command, environment: environment)
        // What is wrong with this machine is no matter here.
        if command[0] != "doctor" { #expect(outcome.status == .success, "\(outcome.stderr)") }
        #expect(outcome.stdout.isEmpty == [["ps"], ["events"]].contains(command))
        if command[0] == "list" { #expect(outcome.stdout.contains("box")) }
        #expect(access((etc.home / "tried").rawValue, F_OK) != 0)
        // The trap itself works.
        _ = try etc.asUser(try copyOfProgram(), ["login", "box"], environment: environment)
        #expect(access((etc.home / "tried").rawValue, F_OK) == 0)
    }

    @Test("names the ways and their packages when there is none")
    func noWay() throws {
        var program = try Program.with("box")
        program.environment["PATH"] = (Scratch.path / "empty").rawValue
        try Run.succeeding("chmod", ["711", Scratch.path.rawValue])
        let words = ["--reuid", "65534", "--regid", "65534", "--clear-groups", try copyOfProgram()]
        for command in [["login", "box"], ["install", "debian"], ["remove", "box"]] {
            let outcome = try Run.program("setpriv", words + command, environment: program.environment)
            #expect(outcome.status == .failure)
            #expect(outcome.stderr.split(separator: "\n").count { $0.hasPrefix("Error:") } == 1)
            for word in ["root", "sudo", "doas (package opendoas)", "pkexec"] {
                #expect(outcome.stderr.contains(word), "\(outcome.stderr)")
            }
        }
        #expect(try program.names() == ["box"])
    }

    /// A directory of links to the usual programs without the other ways to become root.
    private func pathWith(only way: String) throws -> String {
        let directory = Scratch.path / "bin-\(way)"
        try Run.shell(
            """
            mkdir "$1"
            ln -s /bin/* "$1/" 2>/dev/null || true
            for other in sudo doas pkexec su; do [ $other = $2 ] || rm -f "$1/$other"; done
            """, directory.rawValue, way)
        return directory.rawValue
    }

    /// The program where a user can reach it.
    private func copyOfProgram() throws -> String {
        let copy = (Scratch.path / "chroot-distro").rawValue
        try Run.succeeding("cp", [BuiltBinary.path, copy])
        return copy
    }
}
