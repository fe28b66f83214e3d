import CLI
import Libc
import Platform
import Store
import TestSupport
import Testing

@testable import chroot_distro

/// Every command that there is, on a store that is not as it should be.
///
/// Whatever is wrong, a command does its work or says in one error what is wrong, and once that is over, all is well.
@Suite("Every command", .needsRoot, .needsFile("/bin/busybox"), .scratch)
struct DamageTests {
    let container: TestContainer

    init() throws {
        container = try TestContainer(in: Scratch.path)
        for (_, name) in Self.ending { _ = try TestContainer(in: Scratch.path, name: name) }
    }

    /// The commands that end what runs, each with a container that is there for it alone.
    private static let ending: [(words: [String], container: String)] = [
        (["kill", "end-kill"], "end-kill"), (["stop", "--time", "0", "end-stop"], "end-stop"),
        (["unmount", "end-unmount"], "end-unmount"), (["kill", "--all"], "end-all"),
    ]

    /// A script that starts those containers, `$1` being the program; their sessions' numbers go into files of `$out`.
    private static let starting = ending.map {
        "\"$1\" login -d \($0.container) -- sleep 1000 >\"$out.\($0.container)\""
    }.joined(separator: "\n")

    /// What only looks, and works on any store that can be read.
    private static let looking = ["list", "ps", "top", "stats", "ports", "events", "info", "help"]

    /// The words of every command; of those that the test does not know, the name and the container's.
    private static func invocations() -> [[String]] {
        let known: [String: [[String]]] = [
            "login": [
                ["login", "bb", "--", "true"], ["login", "-d", "bb", "--", "true"],
                ["login", "--rm", "bb", "--", "true"],
                ["login", "bb", "--bind", "/usr:/mnt", "--", "true"],
            ],
            "run": [["run", "bb", "--", "true"], ["run", "--rm", "/no/such.tar"]],
            "exec": [["exec", "bb", "--", "true"]],
            "install": [["install", "/no/such.tar", "--name", "new"]],
            "rename": [], "search": [], "push": [], "pull": [],
            "kill": [
                ["kill", "-s", "CONT", "bb"], ["kill", "4000000"], ["kill", "bb"],
            ],
            "stop": [["stop", "--time", "0", "bb"]], "stats": [["stats", "--no-stream"]],
            "attach": [["attach", "4000000"]],
            "setup": [], "remove": [], "reset": [["reset", "bb"]],
            "list": [["list"], ["list", "--measure"]],
            "doctor": [["doctor"], ["doctor", "--fix"]], "help": [["help", "login"]],
        ]
        let others = Program.table.visibleSpecs.map(\.name).filter { known[$0] == nil }
        // `kill --all` would end what the others are asked of.
        return ending.dropLast().map(\.words)
            + others.sorted().map { looking.contains($0) ? [$0] : [$0, "bb"] }
            + known.sorted { $0.key < $1.key }.flatMap(\.value) + [
                ["diff", "im"], ["reset", "im"], ["kill", "--all"], ["remove", "bb"],
                ["rename", "--force", "bb", "cc"],
            ]
    }

    /// A script that runs all of them, `$1` being the program, and prints for each its words, status and complaint.
    private static let script = invocations().map { words in
        let container = ending.first { $0.words == words }?.container ?? "none"
        return """
            [ ! -s "$out.\(container)" ] || [ -e /proc/$(cat "$out.\(container)")/exe ] || not=" (had ended)"
            timeout 60 "$1" \(words.joined(separator: " ")) >"$out" 2>"$out.errors" </dev/null; status=$?
            echo "== $status \(words.joined(separator: " "))"; cat "$out.errors"; echo "$not"; not=
            [ ! -e /proc/$(cat "$out.\(container)" 2>/dev/null || echo none)/exe ] || echo "(goes on)"
            """
    }.joined(separator: "\n")

    private struct Answer {
        let words: String
        let status: Int32
        let complaint: String
        var command: String { String(words.prefix { $0 != " " }) }
    }

    private static func answers(_ text: String) -> [Answer] {
        text.split(separator: "== ").map { part in
            let lines = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let head = lines[0].split(separator: " ", maxSplits: 1)
            return Answer(
                words: String(head[1]), status: Int32(head[0]) ?? -1,
                complaint: lines.count > 1 ? String(lines[1]) : "")
        }
    }

    /// Runs every command after `damage`, in mounts of the test's own; `$data` is the store.
    private func all(after damage: String, cleaning: String = "") throws -> [Answer] {
        let outcome = try Run.program(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c",
                "out=$(mktemp -p /dev/shm); cd /dev/shm\n" + damage + "\n" + Self.script
                    + "\nrm -f \"$out\"*\n"
                    + cleaning, "sh",
                BuiltBinary.path,
            ],
            environment: container.environment.merging(["data": container.data.rawValue]) { $1 }, timeout: 400
        )
        #expect(!outcome.stderr.contains("nothing to damage"), "\(outcome.stderr)")
        let answers = Self.answers(outcome.stdout)
        #expect(answers.count == Self.invocations().count, "\(outcome.stdout)\(outcome.stderr)")
        for answer in answers {
            let (words, complaint) = (answer.words, answer.complaint)
            #expect(answer.status <= 2, "\(words): status \(answer.status): \(complaint)")
            #expect(
                !complaint.contains("Fatal") && !complaint.contains("atal error"), "\(words): \(complaint)")
            let errors = complaint.split(separator: "\n").filter { $0.hasPrefix("Error:") }
            if answer.command != "doctor" {
                #expect(
                    errors.count == (answer.status == 0 ? 0 : 1),
                    "\(words): status \(answer.status): \(complaint)")
            }
            if Self.looking.contains(answer.command) {
                #expect(answer.status == 0, "\(words): \(complaint)")
            }
        }
        return answers
    }

    /// Expects each command that ends something to have ended what ran until then.
    private func expectEnds(_ answers: [Answer]) {
        for (words, _) in Self.ending {
            let answer = answers.first { $0.words == words.joined(separator: " ") }
            let complaint = answer?.complaint ?? ""
            #expect(answer?.status == 0, "\(words): \(complaint)")
            #expect(
                !complaint.contains("(had ended)") && !complaint.contains("(goes on)"),
                "\(words): \(complaint)")
        }
    }

    private func expectWell() throws {
        #expect(container.leftovers().isEmpty)
        let again = try TestContainer(in: container.data, name: "again")
        #expect(try again.script("exit 4").status.code == 4)
        #expect(try again.program(["remove", "again"]).status == .success)
    }

    // MARK: - Disks

    @Test(
        "says that the disk is full, on a disk of its own, and can still end and remove what is there",
        .needsDisk("ext4"))
    func fullDisk() throws {
        let answers = try all(
            after: """
                truncate -s 60M "$data/disk"; mkfs.ext4 -q -m 0 -O ^has_journal "$data/disk"; mkdir "$data/mnt"
                mount -o loop "$data/disk" "$data/mnt"; mv "$data/chroot-distro" "$data/mnt/"
                export XDG_DATA_HOME="$data/mnt" XDG_CACHE_HOME="$data/mnt/cache"
                tar -C "$data/mnt/chroot-distro/containers/bb/rootfs" -cf "$data/mnt/x.tar" .; "$1" install -q "$data/mnt/x.tar" --name nn
                "$1" login -d bb -- sleep 1000 >/dev/null
                \(Self.starting)
                dd if=/dev/zero of="$data/mnt/fill" bs=4k 2>/dev/null; i=0
                while mkdir "$data/mnt/fill$i" 2>/dev/null; do i=$((i+1)); done
                """,
            cleaning: "umount \"$data/mnt\"; rm \"$data/disk\"")
        for answer in answers where answer.status != 0 {
            if ["login", "install", "rename"].contains(answer.command), !answer.complaint.contains("no/such")
            {
                #expect(
                    answer.complaint.contains("No space left") || answer.complaint.contains("not installed"),
                    "\(answer.words): \(answer.complaint)")
            }
        }
        expectEnds(answers)
        let removals = answers.filter { $0.command == "remove" }
        #expect(removals.contains { $0.status == 0 }, "\(removals.map(\.complaint))")
        #expect(container.leftovers().isEmpty)
    }

    @Test("says that the store is read-only, and looks all the same")
    func readOnly() throws {
        let answers = try all(
            after:
                "\"$1\" login bb -- true; mount --bind \"$data\" \"$data\"; mount -o remount,ro,bind \"$data\""
        )
        for answer in answers
        where ["login", "rename", "remove", "reset"].contains(answer.command)
            && !answer.words.hasSuffix(" im")
        {
            #expect(
                answer.status == 1 && answer.complaint.contains("ead-only"),
                "\(answer.words): \(answer.complaint)")
        }
        try expectWell()
    }

    // MARK: - State files

    /// How a file is damaged; `$f` names it.
    private static let damages = [
        ": >\"$f\"", "truncate -s 7 \"$f\"", "head -c 4096 /dev/urandom >\"$f\"",
        "printf '{\"pid\":1}' >\"$f\"",
    ]

    @Test(
        "does with damaged state files what can be done, running or not", arguments: damages, [true, false])
    func damaged(_ damage: String, _ runs: Bool) throws {
        try BusyboxImage.layout(in: container.data, name: "im").pack(as: container.data / "im.tar")
        let answers = try all(
            after: """
                "$1" login --isolated bb -- true; "$1" login -d bb -- sh -c 'echo said; sleep 1000' >/dev/null
                echo "{}" >"$data/chroot-distro/containers/bb/manifest.json"
                "$1" install -q "$data/im.tar" --name im; "$1" login --isolated im -- touch /new
                "$1" diff im >/dev/null; "$1" list >/dev/null
                \(runs ? Self.starting : "\"$1\" kill bb 2>/dev/null; \"$1\" login --isolated bb -- true")
                cd "$data/chroot-distro"
                for f in index.json run/*/holder.json \(runs ? "run/*/sessions/*.json" : "") run/*/sessions.lock \\
                    run/.events* run/.filter-* containers/bb/manifest.json containers/bb/detached.json \\
                    containers/bb/ids containers/bb/output.log containers/im/completed containers/im/image.tree \\
                    containers/im/manifest.json "$data/cache/chroot-distro/index.json"
                do if [ -e "$f" ]; then \(damage); else echo "nothing to damage: $f" >&2; fi; done
                """)
        if runs { expectEnds(answers) }
        #expect(answers.contains { $0.command == "remove" && $0.status == 0 })
        try expectWell()
        // The filter that is kept is made anew, too.
        let again = try TestContainer(in: container.data, name: "again")
        #expect(try again.script("grep Seccomp: /proc/self/status", ["--isolated"]).stdout == "Seccomp:\t2\n")
    }
}
