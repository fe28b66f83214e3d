import Platform
import Testing

@testable import CLI

/// Parses `line`, blanks between the words, for a command of the example program.
private func parse(_ line: String) throws -> ParsedArguments {
    let words = try ShellWords.split(line).map { RawString($0) }
    let invocation = try Invocation.read(words, program: ExampleProgram.spec, table: ExampleProgram.table)
    guard case .command(_, let arguments, _) = invocation else { throw UsageError("not a command: \(line)") }
    return arguments
}

@Suite("ArgvParser") struct ArgvParserTests {
    @Test(
        "a value may be glued, attached with = or the next word",
        arguments: [
            "login deb -uroot", "login deb -u root", "login -u=root deb", "login deb --user=root",
            "sh --user root deb",
            "login --us root deb", "login --user bob -ufoo deb --use root",
        ])
    func values(line: String) throws {
        let arguments = try parse(line)
        #expect(try arguments.text("user") == "root")
        #expect(try arguments.operand("CONTAINER") == "deb")
        #expect(arguments.trailing == nil)
    }

    @Test(
        "an empty or odd value is kept as it is",
        arguments: [
            ("login deb --user=", ""), ("login deb -u=", ""), ("login deb -u -", "-"),
            ("login deb --user=-x", "-x"),
            ("login deb -ua=b", "a=b"), ("login deb -u ''", ""),
        ])
    func oddValues(line: String, expected: String) throws {
        #expect(try parse(line).text("user") == expected)
    }

    @Test("repeatable options gather in order")
    func repeatable() throws {
        let arguments = try parse("login --env A=1 deb -eB=2 --env=C=3=3 --bind /a:/b:ro -b/c")
        #expect(try arguments.texts("env") == ["A=1", "B=2", "C=3=3"])
        #expect(try arguments.texts("bind") == ["/a:/b:ro", "/c"])
        #expect(arguments.count("env") == 3)
    }

    @Test("aliases of an option are that option", arguments: ["--isolate", "--isolated", "--isol"])
    func aliases(option: String) throws {
        #expect(try parse("login \(option) deb").isSet("isolated"))
    }

    @Test(
        "everything behind the first -- is the guest's",
        arguments: [
            ("login deb -- ls -l --user x", ["ls", "-l", "--user", "x"]), ("login deb -- -- x", ["--", "x"]),
            ("login deb ls /", ["ls", "/"]), ("login deb -u root ls -l -- x", ["ls", "-l", "--", "x"]),
            ("login deb --", []), ("run deb --", []), ("run deb -- --help", ["--help"]),
            ("login deb git --help", ["git", "--help"]),
        ])
    func trailing(line: String, expected: [String]) throws {
        #expect(try parse(line).trailing?.map(\.text) == expected)
    }

    @Test("bytes that are no text reach the guest unchanged, and are refused where text is meant")
    func rawBytes() throws {
        let odd = try #require(RawString(bytes: [0x61, 0xff]))
        let words: [RawString] = ["login", "deb", "-u", odd, "-b", odd, "--", odd]
        let invocation = try Invocation.read(words, program: ExampleProgram.spec, table: ExampleProgram.table)
        guard case .command(_, let arguments, _) = invocation else { throw UsageError("not a command") }
        #expect(arguments.trailing == [odd])
        #expect(arguments.raws("bind") == [odd])
        #expect(throws: UsageError("login: --user: a\\xff is not UTF-8 text", command: "login")) {
            try arguments.text("user")
        }
    }

    @Test("-- ends the options of a command without trailing words")
    func endOfOptions() throws {
        let arguments = try parse("copy -q -- -a --b")
        #expect(try arguments.operand("SRC") == "-a")
        #expect(try arguments.operands("SRC") == ["-a", "--b"])
        #expect(arguments.isSet("quiet"))
    }

    @Test("short flags may share one dash")
    func cluster() throws {
        let arguments = try parse("copy -vq a b")
        #expect(arguments.isSet("verbose") && arguments.isSet("quiet"))
    }

    @Test("a number outside its range is refused", arguments: ["0", "101", "x", "1.5"])
    func numbers(text: String) throws {
        let arguments = try parse("list --limit \(text)")
        #expect(throws: UsageError.self) { try arguments.number("limit", in: 1...100) }
        #expect(try parse("list -l50").number("limit", in: 1...100) == 50)
    }

    @Test(
        "what cannot be understood is named, with the way out",
        arguments: [
            (
                "login --isolated deb --minimal", "login: --minimal cannot stand together with --isolated",
                "Leave one"
            ),
            ("list -vq", "list: -q/--quiet cannot stand together with -v/--verbose", "Leave one"),
            (
                "install x -na --override-alias b", "install: --override-alias cannot stand together with",
                "Leave"
            ),
            (
                "login deb --sha", "login: --sha can mean several options",
                "--shared-home, --shared-tmp, --shared-display"
            ),
            ("login deb --usr x", "login: unknown option --usr", "Did you mean --user?"),
            ("login deb -z", "login: unknown option -z", "after a --"),
            ("list -z", "list: unknown option -z", ""), ("list --json=x", "list: --json takes no value", ""),
            ("login deb --user", "login: -u/--user needs a value: --user USER", ""),
            ("login deb -u --minimal", "looks like an option", "--user=--minimal"),
            ("login deb -u -- ls", "login: -u/--user needs a value", ""),
            ("login", "login: CONTAINER is missing", ""),
            ("login -- deb", "CONTAINER is missing", "before the --"),
            ("copy a", "copy: DST is missing", ""), ("copy a b c", "copy: unexpected argument c", ""),
            ("run deb ls", "run: unexpected argument ls", "-- ls"),
            ("list --sort nam", "--sort: nam is not known", "Did you mean name? Known: name, size."),
            (
                "login --no-elevate deb", "login: --no-elevate must stand before the command",
                "chroot-distro --no-elevate login"
            ),
            ("login -V deb", "login: -V/--version must stand before the command", "chroot-distro -V login"),
            ("--hlep", "unknown option --hlep", "Did you mean --help?"),
            ("--user root login", "unknown option --user", "after its name"),
            ("lgoin deb", "unknown command lgoin", "Did you mean login?"),
            ("xyzzy", "unknown command xyzzy", ""),
            ("help insatll", "unknown command insatll", "Did you mean install?"),
            ("''", "unknown command ", ""),
            ("$'\u{1b}[2J'", "unknown command $\\e[2J", ""),
        ])
    func complaints(line: String, message: String, hint: String) throws {
        let error = try #require(throws: UsageError.self) { try parse(line) }
        #expect(error.message.contains(message))
        #expect((error.hint ?? "").contains(hint))
        #expect(error.status == .failure)
        if hint.isEmpty, !line.contains("deb -u") { #expect(error.hint == nil) }
    }
}

@Suite("Invocation") struct InvocationTests {
    private func read(_ line: String) throws -> Invocation<ExampleProgram.Context> {
        let words = try ShellWords.split(line).map { RawString($0) }
        return try Invocation.read(words, program: ExampleProgram.spec, table: ExampleProgram.table)
    }

    @Test(
        "the front page",
        arguments: ["", "-h", "--help", "help", "h", "he", "hel", "--usage", "--no-elevate", "--bad -h"])
    func frontPage(line: String) throws {
        guard case .frontPage = try read(line) else { throw UsageError(line) }
    }

    @Test("the version", arguments: ["-V", "--version", "--vers", "-V login"])
    func version(line: String) throws {
        guard case .version = try read(line) else { throw UsageError(line) }
    }

    @Test(
        "the page of a command",
        arguments: [
            ("login -h", "login"), ("login --help", "login"), ("sh --usage", "login"),
            ("login deb -u root -h", "login"),
            ("login -h -- ls", "login"), ("login --bogus --help", "login"), ("login -u -h", "login"),
            ("help login", "login"), ("help sh", "login"), ("h ls", "list"), ("help help", "help"),
            ("help --help", "help"), ("list --he", "list"), ("help __complete", "__complete"),
            ("copy -vh", "copy"),
        ])
    func page(line: String, command: String) throws {
        guard case .help(let spec) = try read(line) else { throw UsageError(line) }
        #expect(spec.name == command)
    }

    @Test("flags of the program stand before the command")
    func global() throws {
        guard case .command(let command, let arguments, let global) = try read("--no-elevate ls -q") else {
            throw UsageError("not a command")
        }
        #expect(global.isSet("no-elevate") && !global.isSet("use-sudo") && arguments.isSet("quiet"))
        #expect(command.spec.name == "list")
    }

    @Test("a command made from its words runs in a context that this module does not know")
    func runs() throws {
        guard case .command(let command, let arguments, _) = try read("sh deb -- id") else {
            throw UsageError("")
        }
        let context = ExampleProgram.Context()
        #expect(try command.init(arguments).run(in: context) == .success)
        #expect(context.said == ["login deb [id]"])
    }
}

@Suite("NearMiss") struct NearMissTests {
    @Test(
        "distances count slips",
        arguments: [
            ("", "abc", 3), ("login", "login", 0), ("lgoin", "login", 1), ("logn", "login", 1),
            ("ab", "xy", 2),
        ])
    func distance(left: String, right: String, expected: Int) {
        #expect(NearMiss.distance(left, right) == expected)
        #expect(NearMiss.distance(right, left) == expected)
    }

    @Test(
        "only what is close is suggested",
        arguments: [
            ("instal", "install"), ("inst", "install"), ("RUN", "run"), ("elephant", nil), ("x", nil),
        ])
    func suggestions(word: String, expected: String?) {
        #expect(NearMiss.of(word, among: ["install", "run", "list", "i"]) == expected)
    }
}
