import Libc
import Platform
import TestSupport
import Testing

@Suite("doctor", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct DoctorTests {
    @Test("leaves nothing, and takes less than a second")
    func traceless() throws {
        let rig = try DoctorRig()
        // The trash is a room that a first removal makes.
        try rig.program.install("other")
        try rig.program.succeed("remove", "other")
        try rig.waitForFlush()
        // Other tests are at work at the same time, so it goes before them, and the best of five counts.
        var times: [Double] = []
        while times.count < 5, !times.contains(where: { $0 < 1 }) {
            let start = Clock.now
            _ = try Run.program(
                "nice", ["-n", "-20", BuiltBinary.path, "doctor", "--json"],
                environment: rig.program.environment)
            times.append(Clock.now - start)
        }
        #expect(times.contains { $0 < 1 }, "it took \(times) s")
        #expect(try rig.difference().isEmpty)
        let trial = "find /sys/fs/cgroup -name 'chroot-distro.trial-*' 2>/dev/null || true"
        for _ in 0..<100 where try !Run.shell(trial).isEmpty { usleep(20_000) }
        #expect(try Run.shell(trial).isEmpty)
    }

    @Test("finds a healthy store healthy")
    func healthy() throws {
        let rig = try DoctorRig()
        try rig.waitForFlush()
        let findings = try rig.findings("--verify")
        let areas = ["store", "container", "images", "state"]
        for finding in findings where areas.contains(String(finding.id.prefix { $0 != "." })) {
            #expect(finding.severity == "ok", "\(finding)")
        }
        #expect(findings.contains { $0.id == "images.store" && $0.summary.contains("every digest is right") })
    }

    @Test(
        "finds what is wrong, says why and what to do, and ends with 1 when it is a problem",
        arguments: [
            Case("echo other-boot >$box/unflushed", "container.unflushed", "problem", "box"),
            Case("echo garbage >$box/manifest.json", "container.manifest", "warning", "box"),
            Case("mkfifo $box/m && mv $box/m $box/manifest.json", "container.manifest", "warning", "box"),
            Case("rm -rf $box/rootfs/*", "container.empty", "problem", "box"),
            Case("mkdir \"$data/containers/$(printf 'a\\033b')\"", "store.stranger", "note", "a\\eb"),
            Case("chmod 755 $data/containers", "store.permissions", "problem", "containers"),
            Case("chmod 777 $data", "store.permissions", "problem", "."),
            Case("rm $layer", "images.blob-missing", "warning", nil),
            Case("truncate -s -1 $layer", "images.blob-damaged", "problem", nil),
            Case("rm $data/index.json", "store.index", "warning", nil),
            Case("echo '{' >$data/index.json", "store.index", "warning", nil),
            Case(
                "while [ -e $box/unflushed ]; do sleep 0.02; done; cp -a $box $data/containers/twin",
                "store.index", "warning", nil),
            Case("mkdir -p $data/trash/x/y", "store.trash", "note", nil),
            Case("touch $data/.tmp-1-2", "store.temporary-files", "note", nil),
            Case("touch $cache/ingest/new-1", "images.unfinished-downloads", "note", nil),
            Case("mkdir -p $run/ghost/sessions", "state.forgotten", "note", "ghost"),
            Case(
                "mkdir -p $run/box/sessions; echo x >$run/box/holder.json", "state.dead-holder", "note", "box"
            ),
            Case(
                "mkdir -p $run/box/sessions; touch $run/box/sessions/4194304.json", "state.dead-session",
                "note", "box"),
        ])
    func found(_ item: Case) throws {
        let rig = try DoctorRig()
        try rig.waitForFlush()
        let before = try rig.findings()
        #expect(!before.contains { $0.id == item.id && $0.severity == item.severity }, "it is there before")
        try rig.harm(item.harm)
        let outcome = try rig.program.run("doctor", "--json")
        let finding = try #require(
            try Document(outcome).findings.first { $0.id == item.id }, "\(outcome.stdout)")
        #expect(finding.severity == item.severity)
        if let subject = item.subject { #expect(finding.subject == subject) }
        #expect(finding.reason != nil && finding.remedy != nil)
        if item.severity == "problem" { #expect(outcome.status == .failure) }
        let text = try rig.program.run("doctor", "--quiet").stdout
        #expect(text.contains("[\(item.id)]") && text.contains(finding.summary) && !text.contains("\u{1b}"))
    }

    @Test(
        "repairs what is safe to repair, says so, and finds nothing of it afterwards",
        arguments: [
            Case("rm $data/index.json", "store.index", "warning", nil),
            Case(
                "while [ -e $box/unflushed ]; do sleep 0.02; done; cp -a $box $data/containers/twin",
                "store.index", "warning", nil),
            Case("mkdir -p $data/staging/x.1/rootfs; sleep 3.1", "store.staging", "note", nil),
            Case("mkdir -p $data/trash/x/y", "store.trash", "note", nil),
            Case("touch $data/.tmp-1-2", "store.temporary-files", "note", nil),
            Case(
                "touch -d '8 days ago' $cache/ingest/sha256-0.part", "images.unfinished-downloads", "note",
                nil),
            Case("mkdir -p $run/ghost/sessions", "state.forgotten", "note", "ghost"),
            Case(
                "mkdir -p $run/box/sessions; echo x >$run/box/holder.json", "state.dead-holder", "note", "box"
            ),
            Case(
                "mkdir -p $run/box/sessions; touch $run/box/sessions/4194304.json", "state.dead-session",
                "note", "box"),
            Case("truncate -s -1 $layer", "images.blob-damaged", "problem", nil),
        ])
    func repaired(_ item: Case) throws {
        let rig = try DoctorRig()
        try rig.harm(item.harm)
        let finding = try #require(try rig.findings("--fix").first { $0.id == item.id })
        #expect(finding.fixed != nil && finding.severity == item.severity)
        let after = try rig.findings()
        #expect(!after.contains { $0.id == item.id && $0.severity == item.severity })
        #expect(try rig.program.inside("box", "echo alive") == "alive")
    }

    @Test("reads the images only when asked, and then finds a single wrong bit")
    func verified() throws {
        let rig = try DoctorRig()
        try rig.harm("printf x | dd of=$layer bs=1 seek=100 conv=notrunc status=none")
        #expect(try !rig.findings().contains { $0.id == "images.blob-damaged" })
        let outcome = try rig.program.run("doctor", "--verify", "--json")
        #expect(try Document(outcome).findings.contains { $0.id == "images.blob-damaged" })
        #expect(outcome.status == .failure)
        #expect(try rig.program.run("doctor", "--verify", "--fix", "--json").status == .success)
        #expect(try rig.findings("--verify").contains { $0.id == "images.blob-missing" })
    }

    @Test("leaves a running session alone, whatever it repairs")
    func running() throws {
        let rig = try DoctorRig()
        let session = try Running.start(
            BuiltBinary.path, ["login", "box", "--", "sh", "-c", "echo in; read line; echo \"got $line\""],
            environment: rig.program.environment)
        for _ in 0..<100 where try rig.program.succeed("ps", "-q").stdout.isEmpty { usleep(50_000) }
        let findings = try rig.findings("--fix")
        #expect(!findings.contains { $0.id.hasPrefix("state.dead") })
        #expect(findings.contains { $0.id == "state.sessions" && $0.summary.hasPrefix("1 container runs") })
        #expect(try rig.program.names() == ["box"])
        let outcome = try session.finish(input: Array("hello\n".utf8), timeout: 30)
        #expect(outcome.stdout == "in\ngot hello\n", "\(outcome.stderr)")
    }

    @Test("knows after a crash what is dead, and clears it away")
    func crash() throws {
        let rig = try DoctorRig()
        let session = try Running.start(
            BuiltBinary.path, ["login", "box", "--", "sleep", "1000"], environment: rig.program.environment)
        for _ in 0..<100 where try rig.program.succeed("ps", "-q").stdout.isEmpty { usleep(50_000) }
        try rig.harm(
            """
            holder=$(grep -o '"pid":[0-9]*' $run/box/holder.json | tr -dc 0-9)
            supervisor=$(basename $run/box/sessions/*.json .json)
            kill -9 $holder $supervisor
            """)
        #expect(try session.finish(timeout: 30).status == .killed(by: SIGKILL))
        for _ in 0..<100 where !Processes.inMounts(of: Scratch.path).isEmpty { usleep(50_000) }
        let ids = try rig.findings().map(\.id)
        #expect(ids.contains("state.dead-holder") && ids.contains("state.dead-session"), "\(ids)")
        let fixed = try rig.findings("--fix").filter { $0.id.hasPrefix("state.") }
        for finding in fixed where finding.severity != "ok" { #expect(finding.fixed != nil, "\(finding)") }
        let after = try rig.findings().filter { $0.id.hasPrefix("state.") }
        #expect(after.allSatisfy { $0.severity == "ok" }, "\(after)")
        #expect(try rig.program.inside("box", "echo alive") == "alive")
    }

    @Test(
        "tells a disk that containers cannot live on",
        arguments: [
            ("size=50m", "disk.data-space", "problem"), ("size=900m", "disk.data-space", "warning"),
            ("size=2g,nosuid", "disk.data-nosuid", "warning"),
            ("size=2g,noexec", "disk.data-noexec", "problem"),
            ("size=2g,nodev", "disk.data-nodev", "note"), ("size=2g,ro", "disk.data-read-only", "problem"),
            ("size=2g,nr_inodes=500", "disk.data-files", "problem"),
        ])
    func disk(_ options: String, _ id: String, _ severity: String) throws {
        let rig = try DoctorRig()
        let outcome = try rig.inMounts("mount -t tmpfs -o \(options) none \"$data\"")
        let finding = try #require(try Document(outcome).findings.first { $0.id == id }, "\(outcome.stdout)")
        #expect(finding.severity == severity)
    }

    @Test("names a mount that something else has made in a container")
    func mounts() throws {
        let rig = try DoctorRig()
        let outcome = try rig.inMounts("mkdir \"$box/rootfs/m\"; mount -t tmpfs none \"$box/rootfs/m\"")
        let finding = try Document(outcome).findings.first { $0.id == "state.mounts" }
        #expect(finding?.severity == "warning" && finding?.remedy?.hasPrefix("umount ") == true)
    }

    @Test("tells what the kernel refuses, with its reason", .needsProgram("setpriv"))
    func refused() throws {
        let rig = try DoctorRig()
        let outcome = try Run.program(
            "setpriv",
            ["--bounding-set", "-sys_admin", "--inh-caps", "-all", BuiltBinary.path, "doctor", "--json"],
            environment: rig.program.environment)
        let findings = try Document(outcome).findings
        let mounting = try #require(findings.first { $0.id == "kernel.mount-namespace" })
        #expect(mounting.severity == "problem" && mounting.summary.contains("Operation not permitted"))
        #expect(findings.contains { $0.id == "kernel.idmapped-mounts" && $0.severity != "ok" })
        #expect(outcome.status == .failure)
    }

    @Test(
        "works without root, asks nobody to become it, and says what it could not look at",
        .needsProgram("setpriv"))
    func unprivileged() throws {
        let rig = try DoctorRig()
        try Run.succeeding("chmod", ["711", Scratch.path.rawValue])
        let copy = Scratch.path / "chroot-distro"
        try Run.succeeding("cp", [BuiltBinary.path, copy.rawValue])
        let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", copy.rawValue]
        let outcome = try Run.program(
            "setpriv", nobody + ["--no-elevate", "doctor", "--json"], environment: rig.program.environment)
        let findings = try Document(outcome).findings
        #expect(outcome.stderr.isEmpty)
        for id in ["store.access", "kernel.overlay", "kernel.idmapped-mounts", "kernel.mount-namespace"] {
            let finding = findings.first { $0.id == id }
            #expect(finding?.severity == "note" && finding?.remedy == "sudo chroot-distro doctor", "\(id)")
        }
        for flag in ["--fix", "--verify"] {
            let refused = try Run.program(
                "setpriv", nobody + ["--no-elevate", "doctor", flag], environment: rig.program.environment)
            #expect(refused.status == .failure && refused.stdout.isEmpty && refused.stderr.contains("root"))
        }
    }

    @Test("prints a document of findings with their reasons, none of them twice")
    func document() throws {
        let rig = try DoctorRig()
        let document = try Document(try rig.program.run("doctor", "--json"))
        #expect(document.schema == 1)
        for finding in document.findings {
            #expect(["ok", "note", "warning", "problem"].contains(finding.severity))
            #expect(
                finding.id.allSatisfy { $0.isLowercase || $0.isNumber || "-._".contains($0) }, "\(finding.id)"
            )
            #expect(finding.id.contains("."))
            if ["warning", "problem"].contains(finding.severity) {
                #expect(finding.reason != nil, "\(finding.id)")
            }
        }
        let named = document.findings.map { "\($0.id) \($0.subject ?? "")" }
        #expect(Set(named).count == named.count)
    }
}

@Suite("info", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct InfoTests {
    @Test(
        "names versions, places and containers, by any of its names",
        arguments: ["info", "version-info", "nf"])
    func text(_ word: String) throws {
        let program = try Program.with("box")
        let outcome = try program.succeed(word)
        let version = try program.succeed("--version").stdout.split(separator: " ")[1].dropLast()
        let release = try Run.succeeding("uname", ["-r"]).dropLast()
        for part in [
            String(version), String(release), "libcurl", "box", "\(Scratch.path)/data/chroot-distro",
        ] {
            #expect(outcome.stdout.contains(part), "\(part): \(outcome.stdout)")
        }
        #expect(outcome.stderr.isEmpty)
    }

    @Test("prints one document when asked, also for users", .needsProgram("setpriv"))
    func json() throws {
        struct Report: Decodable {
            struct Part: Decodable { let version: String? }
            struct Container: Decodable {
                let name: String
                let size: Int64
            }
            let schema: Int
            let program: Part
            let libraries: [Part]
            let paths: [String: String]
            let containers: [Container]
        }
        let program = try Program.with("box")
        try Run.succeeding("chmod", ["711", Scratch.path.rawValue])
        let copy = Scratch.path / "chroot-distro"
        try Run.succeeding("cp", [BuiltBinary.path, copy.rawValue])
        for prefix in [[], ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]] {
            let words = prefix + [copy.rawValue, "info", "--json"]
            let outcome = try Run.program(
                words[0], Array(words.dropFirst()), environment: program.environment)
            let report = try JSONDecoder().decode(Report.self, from: outcome.output)
            #expect(report.schema == 1 && report.libraries.count == 5 && report.program.version != nil)
            #expect(Set(report.paths.keys) == ["data", "cache", "run"])
            #expect(report.containers.first?.name == "box" && (report.containers.first?.size ?? 0) > 0)
        }
    }
}

/// Something to do to a store, and what doctor should make of it.
struct Case: Sendable, CustomTestStringConvertible {
    let harm: String
    let id: String
    let severity: String
    let subject: String?

    init(_ harm: String, _ id: String, _ severity: String, _ subject: String?) {
        self.harm = harm
        self.id = id
        self.severity = severity
        self.subject = subject
    }

    var testDescription: String { "\(id) after \(harm)" }
}

/// What `doctor --json` prints.
private struct Document: Decodable {
    struct Finding: Decodable {
        let id: String
        let severity: String
        let subject: String?
        let summary: String
        let reason: String?
        let remedy: String?
        let fixed: String?
    }

    let schema: Int
    let findings: [Finding]

    init(_ outcome: Run.Outcome) throws {
        self = try JSONDecoder().decode(Document.self, from: outcome.output)
    }
}

/// A store with one container in it.
private struct DoctorRig {
    let program: Program

    init() throws { program = try Program.with("box") }

    func findings(_ flags: String...) throws -> [Document.Finding] {
        let outcome = try Run.program(
            BuiltBinary.path, ["doctor", "--json"] + flags, environment: program.environment)
        return try Document(outcome).findings
    }

    private static let places = """
        export data=$1/data/chroot-distro cache=$1/cache/chroot-distro run=$1/data/chroot-distro/run
        export box=$data/containers/box
        export layer=$(ls -S $cache/blobs/sha256/* | head -n1)

        """

    /// Runs a script that knows where everything is.
    func harm(_ script: String) throws { try Run.shell(Self.places + script, program.directory.rawValue) }

    /// Runs doctor in a mount namespace that a script has prepared.
    func inMounts(_ script: String) throws -> Run.Outcome {
        try Run.program(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-ec",
                Self.places + script + "\nexec \"$2\" doctor --json", "sh", program.directory.rawValue,
                BuiltBinary.path,
            ], environment: program.environment)
    }

    /// Waits until the new container is on the disk, so that nothing changes by itself.
    func waitForFlush() throws {
        let mark = (program.root(of: "box").parent / "unflushed").rawValue
        for _ in 0..<200 where access(mark, F_OK) == 0 { usleep(50_000) }
    }

    /// What a run of doctor has changed of all that a careless probe could leave behind: nothing, it is hoped.
    ///
    /// In a mount namespace with directories for temporary files of its own, where nobody else is at work.
    func difference() throws -> String {
        let script = """
            mount -t tmpfs none /tmp; mount -t tmpfs none /run
            look() { find "$1" /tmp /run -printf '%p %y %m %s\\n' | sort; cat /proc/self/mountinfo; }
            before=$(look "$1"); "$2" doctor >/dev/null || true; after=$(look "$1")
            [ "$before" = "$after" ] || printf '%s\\n--- after:\\n%s\\n' "$before" "$after"
            """
        return try Run.succeeding(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-ec", script, "sh", program.directory.rawValue,
                BuiltBinary.path,
            ], environment: program.environment)
    }
}

extension timespec {
    fileprivate static var now: timespec {
        var value = timespec()
        clock_gettime(CLOCK_MONOTONIC, &value)
        return value
    }

    /// Seconds.
    fileprivate static func - (left: timespec, right: timespec) -> Double {
        Double(left.tv_sec - right.tv_sec) + Double(left.tv_nsec - right.tv_nsec) / 1e9
    }
}
