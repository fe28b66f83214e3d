import Libc
import Platform
import TestSupport
import Testing

@testable import chroot_distro

@Suite(
    "setup", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("sudo", "visudo", "doas", "setpriv", "useradd", "gpasswd"))
struct SetupTests {
    @Test("lets a member of the group in without a password, and nobody else", arguments: ["sudo", "doas"])
    func members(_ way: String) throws {
        let rig = try SetupRig(way: way)
        let before = try rig.user("login", "box", "--", "id", "-u")
        #expect(before.status != .success && before.stdout.isEmpty)
        let setup = try rig.root("setup", "--user", PrivateEtc.user)
        #expect(setup.status == .success, "\(setup.stderr)")
        #expect(setup.stderr.contains("Warning: this equals root"))
        let after = try rig.user("login", "box", "--", "id", "-u")
        #expect(after.stdout == "0\n", "\(after.stderr)")
        try rig.asRoot("useradd", "stranger")
        let stranger = try rig.user(named: "stranger", "login", "box", "--", "id", "-u")
        #expect(stranger.status != .success && stranger.stdout.isEmpty)
        // Only this program, and only as root.
        let tool = way == "sudo" ? ["sudo", "-n"] : ["doas", "-n"]
        let other = try rig.userRuns(tool + ["id", "-u"])
        #expect(other.status != .success && other.stdout.isEmpty)
    }

    @Test(
        "is undone to the byte, and a second time both do nothing",
        arguments: ["sudo", "doas", "old doas.conf"])
    func undone(_ way: String) throws {
        let rig = try SetupRig(way: way == "sudo" ? "sudo" : "doas")
        if way == "old doas.conf" {
            try TestImage.write("permit :wheel\ndeny games\n", to: rig.etc.path / "doas.conf")
            try Run.succeeding("chmod", ["640", (rig.etc.path / "doas.conf").rawValue])
        }
        let before = try rig.snapshot()
        try #require(try rig.root("setup", "--user", PrivateEtc.user).status == .success)
        let done = try rig.snapshot()
        #expect(done != before)
        let again = try rig.root("setup", "--user", PrivateEtc.user)
        #expect(again.status == .success && again.stderr.contains("already"), "\(again.stderr)")
        #expect(try rig.snapshot() == done)
        let undone = try rig.root("setup", "--uninstall")
        #expect(undone.status == .success, "\(undone.stderr)")
        #expect(try rig.snapshot() == before)
        let nothing = try rig.root("setup", "--uninstall")
        #expect(nothing.status == .success && nothing.stderr.contains("nothing to undo"))
        #expect(try rig.snapshot() == before)
    }

    @Test("puts the person who became root into the group")
    func invoker() throws {
        let rig = try SetupRig(way: "sudo")
        try TestImage.write(
            "\(PrivateEtc.user) ALL=(ALL) NOPASSWD: ALL\n", to: rig.etc.path / "sudoers.d/all")
        try rig.asRoot("chmod", "440", "/etc/sudoers.d/all")
        let outcome = try rig.user("setup")
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(try rig.members() == [PrivateEtc.user])
    }

    @Test("leaves a group and members that were there before", arguments: [true, false])
    func ownGroup(_ wasMember: Bool) throws {
        let rig = try SetupRig(way: "sudo")
        try rig.asRoot("groupadd", "chroot-distro")
        try rig.asRoot("useradd", "other")
        for user in wasMember ? ["other", PrivateEtc.user] : ["other"] {
            try rig.asRoot("gpasswd", "-a", user, "chroot-distro")
        }
        let before = try rig.snapshot()
        try #require(try rig.root("setup", "--user", PrivateEtc.user).status == .success)
        #expect(try rig.members() == ["other", PrivateEtc.user])
        try #require(try rig.root("setup", "--uninstall").status == .success)
        #expect(try rig.snapshot() == before)
    }

    @Test("keeps its group when others have been put into it by hand")
    func sharedGroup() throws {
        let rig = try SetupRig(way: "sudo")
        try #require(try rig.root("setup", "--user", PrivateEtc.user).status == .success)
        try rig.asRoot("useradd", "other")
        try rig.asRoot("gpasswd", "-a", "other", "chroot-distro")
        let outcome = try rig.root("setup", "--uninstall")
        #expect(outcome.stderr.contains("others have put other into it"))
        #expect(try rig.members() == ["other"])
    }

    @Test(
        "refuses a program that somebody else could replace, and names what is wrong",
        arguments: [
            ("chmod g+w $d/chroot-distro", "/etc/cd-test/chroot-distro"),
            ("chmod o+w $d/chroot-distro", "/etc/cd-test/chroot-distro"),
            ("chown cdtester $d/chroot-distro", "/etc/cd-test/chroot-distro"),
            ("chmod g+w $d", "/etc/cd-test"), ("chmod 1777 $d", "/etc/cd-test"),
            ("chown cdtester $d", "/etc/cd-test"),
        ])
    func replaceable(_ harm: String, _ culprit: String) throws {
        let rig = try SetupRig(way: "sudo")
        try rig.asRoot("sh", "-ec", "d=/etc/cd-test; \(harm)")
        try rig.refuse("setup", "--user", PrivateEtc.user, naming: ["\(culprit) ", "root"])
    }

    @Test("refuses a program below a directory that everybody can write to")
    func inTemporary() throws {
        let rig = try SetupRig(way: "sudo")
        let copy = Scratch.path / "chroot-distro"
        try Run.succeeding("cp", [BuiltBinary.path, copy.rawValue])
        try rig.refuse("setup", "--user", PrivateEtc.user, naming: ["/var/tmp "], program: copy.rawValue)
    }

    @Test("makes the rule for the program itself, by whatever link it was called")
    func link() throws {
        let rig = try SetupRig(way: "sudo")
        let link = rig.etc.home / "innocent"
        try Run.succeeding("ln", ["-s", "/etc/cd-test/chroot-distro", link.rawValue])
        let outcome = try rig.root(["setup", "--user", PrivateEtc.user], program: link.rawValue)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        let rule = try Run.succeeding("cat", [(rig.etc.path / "sudoers.d/chroot-distro").rawValue])
        #expect(rule.contains("NOPASSWD: /etc/cd-test/chroot-distro\n") && !rule.contains("innocent"))
    }

    @Test(
        "refuses a path that would mean something else in a rule",
        arguments: ["a b", "a,b", "a=b", "*", "a\nb", "ü"])
    func oddPath(_ name: String) throws {
        let rig = try SetupRig(way: "sudo")
        try rig.asRoot("mkdir", "/etc/\(name)")
        try rig.asRoot("cp", "/etc/cd-test/chroot-distro", "/etc/\(name)/chroot-distro")
        try rig.refuse(
            "setup", "--user", PrivateEtc.user, naming: ["characters"], program: "/etc/\(name)/chroot-distro")
    }

    @Test(
        "refuses a name that is no user's",
        arguments: [
            "cdtester\nALL ALL=(ALL) NOPASSWD: ALL", "%sudo", "cdtester,root", "cdtester:x", "-d", "+group",
            "a b",
            "../etc", "nobody-has-this-name", "root", "",
        ])
    func oddName(_ name: String) throws {
        let rig = try SetupRig(way: "sudo")
        try rig.refuse("setup", "--user=\(name)", naming: [])
    }

    @Test(
        "refuses to touch what is in the way",
        arguments: [
            ("echo 'alice ALL=(ALL) ALL' >/etc/sudoers.d/chroot-distro", "/etc/sudoers.d/chroot-distro"),
            ("ln -s /etc/passwd /etc/sudoers.d/chroot-distro", "/etc/sudoers.d/chroot-distro"),
            ("mkdir /etc/sudoers.d/chroot-distro", "/etc/sudoers.d/chroot-distro"),
            ("echo 'gibberish' >>/etc/sudoers", "/etc/sudoers"),
            ("echo 'gibberish' >/etc/sudoers.d/broken", "/etc/sudoers"),
            ("sed -i /includedir/d /etc/sudoers", "/etc/sudoers.d"),
            ("chmod 777 /etc/sudoers.d", "/etc/sudoers.d"),
            ("chmod 777 /etc/chroot-distro", "/etc/chroot-distro"),
            ("echo garbage >/etc/chroot-distro/setup.json", "setup.json"),
        ])
    func inTheWay(_ state: String, _ name: String) throws {
        let rig = try SetupRig(way: "sudo")
        try rig.asRoot("sh", "-ec", "mkdir /etc/chroot-distro; \(state)")
        try rig.refuse("setup", "--user", PrivateEtc.user, naming: [name])
    }

    @Test(
        "refuses to touch a doas.conf that is broken, a link or half of an earlier setup",
        arguments: [
            "echo 'permit oops oops oops' >$f", "ln -s /etc/passwd $f", "printf 'permit :wheel' >$f",
            "echo '# >>> chroot-distro setup; chroot-distro setup --uninstall removes these lines' >$f",
            "echo '# <<< chroot-distro setup' >$f", "echo 'permit :wheel' >$f; chmod 666 $f",
        ])
    func doasInTheWay(_ state: String) throws {
        let rig = try SetupRig(way: "doas")
        try rig.asRoot("sh", "-ec", "f=/etc/doas.conf; \(state)")
        try rig.refuse("setup", "--user", PrivateEtc.user, naming: ["/etc/doas.conf"])
    }

    @Test(
        "notices a rule that comes later and asks for the password again",
        arguments: [
            ("%chroot-distro ALL=(ALL:ALL) ALL", true), ("\(PrivateEtc.user) ALL=(root) PASSWD: ALL", true),
            ("\(PrivateEtc.user) ALL=(root) NOPASSWD: /bin/true, PASSWD: ALL", true),
            ("\(PrivateEtc.user) ALL=(games) ALL", false), ("\(PrivateEtc.user) ALL=(ALL) /bin/true", false),
            ("\(PrivateEtc.user) ALL=(ALL) NOPASSWD: ALL", false),
        ])
    func overridden(_ rule: String, _ asks: Bool) throws {
        let rig = try SetupRig(way: "sudo")
        try rig.asRoot("sh", "-ec", "echo '\(rule)' >/etc/sudoers.d/zz; chmod 440 /etc/sudoers.d/zz")
        let outcome = try rig.root("setup", "--user", PrivateEtc.user)
        #expect(outcome.status == .success, "\(outcome.stderr)")
        #expect(outcome.stderr.contains("go on asking") == asks, "\(outcome.stderr)")
        #expect((try rig.user("login", "box", "--", "id", "-u").stdout == "0\n") != asks)
        // The same before ours is of no account.
        try rig.asRoot("mv", "/etc/sudoers.d/zz", "/etc/sudoers.d/aa")
        #expect(try !rig.root("setup", "--user", PrivateEtc.user).stderr.contains("go on asking"))
        #expect(try rig.user("login", "box", "--", "id", "-u").stdout == "0\n")
    }

    @Test("names the packages when there is neither sudo nor doas")
    func noTool() throws {
        let rig = try SetupRig(way: "none")
        try rig.refuse("setup", "--user", PrivateEtc.user, naming: ["sudo", "doas"])
    }

    @Test(
        "goes on after a kill at any step, and can be undone after it",
        arguments: [
            Step("groupadd", 1, after: false), Step("groupadd", 1, after: true),
            Step("gpasswd", 1, after: false), Step("gpasswd", 1, after: true),
            Step("visudo", 1, after: false), Step("visudo", 2, after: false), Step("visudo", 2, after: true),
        ], [true, false])
    func killed(_ step: Step, _ goesOn: Bool) throws {
        let rig = try SetupRig(way: "sudo")
        let before = try rig.snapshot()
        let killed = try rig.root(["setup", "--user", PrivateEtc.user], deadly: step)
        try #require(killed.status == .killed(by: SIGKILL), "\(killed.stderr)")
        // Whatever is there now must not stop sudo from working.
        try rig.asRoot("visudo", "-c")
        if goesOn {
            let outcome = try rig.root("setup", "--user", PrivateEtc.user)
            #expect(outcome.status == .success, "\(outcome.stderr)")
            #expect(try rig.user("login", "box", "--", "id", "-u").stdout == "0\n")
        }
        let undone = try rig.root("setup", "--uninstall")
        #expect(undone.status == .success, "\(undone.stderr)")
        #expect(try rig.snapshot() == before)
    }

    @Test(
        "is undone by a second try after a kill while it was being undone",
        arguments: [
            Step("gpasswd", 1, after: false), Step("gpasswd", 1, after: true),
            Step("groupdel", 1, after: true),
        ])
    func killedUndoing(_ step: Step) throws {
        let rig = try SetupRig(way: "sudo")
        let before = try rig.snapshot()
        try #require(try rig.root("setup", "--user", PrivateEtc.user).status == .success)
        let killed = try rig.root(["setup", "--uninstall"], deadly: step)
        try #require(killed.status == .killed(by: SIGKILL), "\(killed.stderr)")
        // The rule goes first.
        #expect(try rig.user("login", "box", "--", "id", "-u").status != .success)
        #expect(try rig.root("setup", "--uninstall").status == .success)
        #expect(try rig.snapshot() == before)
    }

    @Test("is looked after by doctor", arguments: ["sudo", "doas"])
    func watched(_ way: String) throws {
        let rig = try SetupRig(way: way)
        #expect(try !rig.root("doctor").stdout.contains("[elevation.setup]"))
        try #require(try rig.root("setup", "--user", PrivateEtc.user).status == .success)
        let fine = try rig.root("doctor").stdout.split(separator: "\n").first {
            $0.hasSuffix("[elevation.setup]")
        }
        #expect(fine?.hasPrefix("  ok ") == true && fine?.contains("/etc/cd-test/chroot-distro") == true)
        try rig.asRoot("chmod", "g+w", "/etc/cd-test")
        let lax = try rig.root("doctor")
        let line = lax.stdout.split(separator: "\n").first { $0.hasSuffix("[elevation.setup]") }
        #expect(line?.hasPrefix("  problem ") == true && lax.status == .failure)
    }

    @Test("takes away exactly its own lines", arguments: ["", "permit :wheel\n", "a\r\nb\n", "\n\n", "x"])
    func section(_ text: String) throws {
        #expect(try DoasRule.without(text) == text)
        #expect(try DoasRule.without(text + "\n" + DoasRule.section("/bin/x")) == text + "\n")
        #expect(try DoasRule.without(DoasRule.section("/bin/x") + text) == text)
        #expect(throws: SetupError.brokenSection(DoasRule.path)) {
            try DoasRule.without("a\n" + DoasRule.section("/bin/x").split(separator: "\n")[0] + "\nb\n")
        }
    }
}

/// The call of a tool at which setup is killed.
struct Step: Sendable, CustomTestStringConvertible {
    let tool: String
    /// The how manieth call; 1 is the first.
    let call: Int
    /// Whether the tool still does its work.
    let after: Bool

    init(_ tool: String, _ call: Int, after: Bool) {
        self.tool = tool
        self.call = call
        self.after = after
    }

    var testDescription: String { "\(after ? "after" : "before") call \(call) of \(tool)" }
}

/// The program where only root can write, a copy of `/etc` and one way to become root.
private struct SetupRig {
    let etc: PrivateEtc
    private let program: Program
    private let hidden: [String]

    init(way: String) throws {
        program = try Program.with("box")
        etc = try PrivateEtc(in: Scratch.path)
        hidden = ["sudo", "doas", "pkexec"].filter { $0 != way }.compactMap { Run.find($0) }
        try Run.shell(
            """
            rm -f "$1/sudoers.d/cdtester" "$1/doas.conf"; rm -rf "$1/chroot-distro"
            chown root:root "$1"; chmod 755 "$1"; mkdir -m 755 "$1/cd-test"; cp "$2" "$1/cd-test/chroot-distro"
            sed -i /^chroot-distro:/d "$1/group" "$1/gshadow"
            : >"$1/nothing"; chmod 644 "$1/nothing"
            """, etc.path.rawValue, BuiltBinary.path)
    }

    @discardableResult
    func asRoot(_ command: String...) throws -> String {
        let outcome = try inside(command)
        try #require(outcome.status == .success, "\(command): \(outcome.stderr)")
        return outcome.stdout
    }

    func root(_ arguments: String...) throws -> Run.Outcome { try root(arguments) }

    func root(
        _ arguments: [String], program: String = "/etc/cd-test/chroot-distro", deadly step: Step? = nil
    ) throws -> Run.Outcome { try inside([program] + arguments, deadly: step) }

    func user(named name: String = PrivateEtc.user, _ arguments: String...) throws -> Run.Outcome {
        try userRuns(["/etc/cd-test/chroot-distro"] + arguments, as: name)
    }

    func userRuns(_ command: [String], as name: String = PrivateEtc.user) throws -> Run.Outcome {
        try inside(
            ["setpriv", "--reuid", name, "--regid", name, "--init-groups", "--inh-caps=-all"] + command)
    }

    /// Expects status 1, one line that names all of `names`, and an `/etc` that is what it was.
    func refuse(
        _ arguments: String..., naming names: [String], program: String = "/etc/cd-test/chroot-distro",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try snapshot()
        let outcome = try root(arguments, program: program)
        #expect(outcome.status == .failure, sourceLocation: sourceLocation)
        let errors = outcome.stderr.split(separator: "\n").filter { $0.hasPrefix("Error:") }
        #expect(errors.count == 1, "\(outcome.stderr)", sourceLocation: sourceLocation)
        for name in names {
            #expect(errors.first?.contains(name) == true, "\(outcome.stderr)", sourceLocation: sourceLocation)
        }
        #expect(try snapshot() == before, sourceLocation: sourceLocation)
    }

    func members() throws -> [String] {
        let line = try Run.shell("grep ^chroot-distro: \"$1/group\"", etc.path.rawValue)
        return line.dropLast().split(separator: ":", omittingEmptySubsequences: false).last?
            .split(separator: ",").map(String.init) ?? []
    }

    /// Everything that setup might touch: names, types, modes, owners and contents.
    func snapshot() throws -> String {
        try Run.shell(
            """
            cd "$1"
            for file in group gshadow passwd doas.conf sudoers sudoers.d chroot-distro; do
                find $file -printf '%p %y %m %u %g %l\\n' -type f -exec md5sum {} + 2>/dev/null || true
            done | sort
            find . -maxdepth 1 -name '.chroot*'
            """, etc.path.rawValue)
    }

    private func inside(_ command: [String], deadly step: Step? = nil) throws -> Run.Outcome {
        var script = "mount --bind \"$0\" /etc; for tool in \(hidden.joined(separator: " ")); do "
        script += "mount --bind /etc/nothing $tool; done\n"
        if let step { script += try lay(step) }
        var environment = program.environment
        environment["HOME"] = etc.home.rawValue
        return try Run.program(
            "unshare",
            ["--mount", "--propagation", "private", "sh", "-ec", script + "exec \"$@\"", etc.path.rawValue]
                + command,
            environment: environment)
    }

    /// The lines that put a script in the place of a tool, which kills its caller.
    private func lay(_ step: Step) throws -> String {
        let tool = try #require(Run.find(step.tool))
        let work = step.after ? "/etc/cd-test/real \"$@\"; kill -9 $PPID" : "kill -9 $PPID"
        let trap = """
            #!/bin/sh
            echo >>/etc/cd-test/calls
            if [ $(wc -l </etc/cd-test/calls) -eq \(step.call) ]; then \(work); else exec /etc/cd-test/real "$@"; fi
            """
        try TestImage.write(trap + "\n", to: etc.path / "cd-test/trap")
        return """
            rm -f /etc/cd-test/calls; chmod 755 /etc/cd-test/trap; cp \(tool) /etc/cd-test/real
            mount --bind /etc/cd-test/trap \(tool)

            """
    }
}
