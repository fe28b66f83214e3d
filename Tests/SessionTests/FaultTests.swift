import Libc
import Platform
import TestSupport
import Testing

@Suite("After a fault", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct FaultTests {
    let container: TestContainer

    init() throws { container = try TestContainer(in: Scratch.path) }

    private static let commands = [
        ["ps"], ["list"], ["top"], ["ports"], ["events"], ["kill", "bb"], ["kill", "--all"], ["stop", "bb"],
        ["unmount", "bb"], ["logs", "bb"], ["rename", "bb", "cc"], ["login", "cc", "--", "true"],
    ]

    @Test(
        "a record of another boot, or one whose number is another's now, harms nobody",
        arguments: ["boot", "start"])
    func falseRecords(_ fault: String) throws {
        let canary = try Running.start("sleep", ["1000"])
        let running = try container.start(script: "echo up; read x")
        _ = try running.read(until: "up")
        // What a crash leaves: the records, and neither lock nor process.
        try Run.shell("cp -r $1 $1.kept", container.run.rawValue)
        _ = try running.finish(input: Array("\n".utf8))
        #expect(container.leftovers().isEmpty)
        let identity = try ProcessIdentity(of: canary.pid)
        let start = fault == "start" ? identity.startTime + 1 : identity.startTime
        let boot = fault == "boot" ? "00000000-0000-4000-8000-000000000000" : identity.bootID
        try Run.shell(
            """
            rm -rf $1; mv $1.kept $1; cd $1; mv sessions/*.json sessions/$2.json
            sed -i -e 's/"pid":[0-9]*/"pid":'$2/ -e 's/"startTime":[0-9]*/"startTime":'$3/ \\
                -e 's/"bootID":"[^"]*"/"bootID":"'$4'"/' holder.json sessions/$2.json
            """, container.run.rawValue, "\(canary.pid)", "\(start)", boot)
        #expect(try container.program(["ps", "-q"]).stdout.isEmpty)
        #expect(try container.program(["kill", "\(canary.pid)"]).status == .failure)
        for words in Self.commands {
            let outcome = try container.program(words, timeout: 20)
            #expect(outcome.status == .success, "\(words): \(outcome.stderr)")
        }
        #expect(kill(canary.pid, 0) == 0, "somebody else's process was ended")
        #expect(ProcessStatus(of: canary.pid)?.hasEnded == false)
        #expect(container.leftovers().isEmpty)
    }

    /// Runs a script in a mount namespace of its own, `$data` being the store and `$1` the program.
    private func inMounts(_ script: String) throws -> Run.Outcome {
        try Run.program(
            "unshare", ["-m", "--propagation", "private", "sh", "-c", script, "sh", BuiltBinary.path],
            environment: container.environment.merging(["data": container.data.rawValue]) { $1 })
    }

    @Test(
        "a full disk is told of, stops nothing that can go on, and does not keep a container from being removed"
    )
    func fullDisk() throws {
        let outcome = try inMounts(
            """
            full=$data/full; mkdir $full; mount -t tmpfs -o size=8m,nr_inodes=600 none $full; cp -a $data/chroot-distro $full
            export XDG_DATA_HOME=$full
            mkdir -m 700 $full/chroot-distro/trash; "$1" list >/dev/null  # What an installation makes.
            "$1" login -d bb -- sh -c 'i=0; while [ $i -lt 400 ]; do echo "$i some words for the log"; i=$((i+1)); sleep 0.01; done; exit 0' >/dev/null
            i=0
            fill() { cat /dev/zero >>$full/fill 2>/dev/null; while mkdir $full/fill.$i 2>/dev/null; do i=$((i+1)); done; }
            fill; sleep 0.5; echo "sessions: $("$1" ps -q | wc -l)"
            for words in ps list top "kill -s CONT bb" "logs bb" "stop --time 0 bb" "rename bb cc"; do
                "$1" $words >/dev/null 2>$data/said; echo "$words: $?"; cat $data/said
            done
            for name in bb cc; do [ -d $full/chroot-distro/containers/$name ] && there=$name; done; fill
            "$1" login $there -- true 2>$data/said; echo "login: $?"; grep '^Error' $data/said
            fill; "$1" login -d $there -- true 2>$data/said; echo "detached: $?"; grep '^Error' $data/said
            "$1" remove $there; echo "remove: $?"
            ls $full/chroot-distro/containers | wc -l
            """)
        #expect(outcome.stdout.contains("sessions: 1\n"), "\(outcome.stdout)")
        for command in ["ps", "list", "top", "kill -s CONT bb", "logs bb", "stop --time 0 bb"] {
            #expect(outcome.stdout.contains("\(command): 0"), "\(outcome.stdout)")
        }
        for command in ["login", "detached"] {
            let complaint = outcome.stdout.split(separator: "\(command): 1\n").dropFirst().first ?? ""
            let line = complaint.prefix { $0 != "\n" }
            #expect(line.hasPrefix("Error:") && line.contains("No space left"), "\(outcome.stdout)")
        }
        #expect(outcome.stdout.contains("remove: 0\n0\n"), "\(outcome.stdout)\(outcome.stderr)")
        #expect(!outcome.stderr.contains("Fatal"))
        #expect(container.leftovers().isEmpty)
    }

    @Test("a read-only store is told of by every command that would write")
    func readOnly() throws {
        let outcome = try inMounts(
            """
            mount --bind $data $data; mount -o remount,ro,bind $data
            for words in "login bb -- true" "login -d bb -- true" "run bb" "rename bb cc" "remove bb"; do
                "$1" $words; echo "$words: $?"
            done
            for words in "ps" "list" "top" "ports" "events"; do "$1" $words >/dev/null; echo "$words: $?"; done
            """)
        for command in ["login bb -- true", "login -d bb -- true", "rename bb cc", "remove bb"] {
            #expect(outcome.stdout.contains("\(command): 1"), "\(outcome.stdout)")
        }
        #expect(
            outcome.stderr.contains("read-only") || outcome.stderr.contains("Read-only"), "\(outcome.stderr)")
        #expect(!outcome.stderr.contains("Fatal") && !outcome.stdout.contains("13"), "\(outcome.stderr)")
        #expect(try container.script("exit 4").status.code == 4)
    }

    @Test("a killed supervisor's unfinished record is swept")
    func unfinished() throws {
        #expect(try container.script("exit 0").status == .success)
        let file = "sessions/.tmp-999999-1"
        try Run.shell("echo x >$1/\(file); echo y >$1/.tmp-999998-2", container.run.rawValue)
        #expect(try container.program(["ps"]).status == .success)
        #expect(access((container.run / file).rawValue, F_OK) != 0)
        #expect(try container.program(["unmount", "bb"]).status == .success)
        #expect(access((container.run / ".tmp-999998-2").rawValue, F_OK) != 0)
    }

    // MARK: - What is bound from the same file system

    @Test("remove ends sessions first and leaves alone what they had bound from the same file system")
    func boundCanary() throws {
        let kept = container.data / "kept"
        try Run.shell("mkdir $1; echo keep >$1/file", kept.rawValue)
        let device = try Run.succeeding("stat", ["-c", "%d", kept.rawValue, container.rootfs.rawValue])
        #expect(Set(device.split(separator: "\n")).count == 1, "the test needs one file system")
        let running = try container.start(
            script: "trap '' TERM; echo up; while :; do sleep 0.1; done", ["--bind", "\(kept):/srv"])
        _ = try running.read(until: "up")
        let detached = try container.login(["-d"], "sleep", "1000")
        #expect(detached.status == .success)
        #expect(try container.program(["remove", "bb"]).status == .success)
        #expect(try running.finish(timeout: 20).status != .success)
        #expect(try Run.succeeding("cat", [(kept / "file").rawValue]) == "keep\n")
        #expect(access(container.rootfs.parent.rawValue, F_OK) != 0)
        #expect(container.leftovers().isEmpty)
    }

    @Test("remove leaves alone what another mount namespace has bound in the container")
    func foreignNamespace() throws {
        let kept = container.data / "kept"
        try Run.shell("mkdir $1 $2/mnt; echo keep >$1/file", kept.rawValue, container.rootfs.rawValue)
        let other = try Running.start(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c",
                "mount --bind \"$1\" \"$2/mnt\"; cat \"$2/mnt/file\"; echo up; read x", "sh", kept.rawValue,
                container.rootfs.rawValue,
            ])
        #expect(try other.read(until: "up").contains("keep"))
        #expect(try container.program(["remove", "bb"]).status == .success)
        #expect(try Run.succeeding("cat", [(kept / "file").rawValue]) == "keep\n")
        _ = try other.finish(input: Array("\n".utf8))
    }

    @Test("rename refuses what runs and names the command that stops it, or stops it")
    func rename() throws {
        let running = try container.start(script: "echo up; sleep 1000")
        _ = try running.read(until: "up")
        let refused = try container.program(["rename", "bb", "cc"])
        #expect(refused.status == .failure && refused.stderr.contains("chroot-distro unmount bb"))
        #expect(try container.program(["rename", "--force", "bb", "cc"]).status == .success)
        #expect(try running.finish(timeout: 20).status != .success)
        #expect(try container.program(["login", "cc", "--", "true"]).status == .success)
        #expect(container.leftovers().isEmpty)
    }
}
