import Platform

/// The programs of this host that setup has work for.
struct SetupTools {
    private let search: ProgramSearch
    private let environment: Environment

    init(on host: HostSystem) {
        search = .trusted(on: host)
        environment = ["PATH": search.path, "LC_ALL": "C"]
    }

    func find(_ name: String) -> HostPath? { search.find(name) }

    /// The path of a program without which it does not work.
    func require(_ name: String) throws(SetupError) -> HostPath {
        guard let path = search.find(name) else { throw .missing(name) }
        return path
    }

    /// Runs a program; what it complained of, or `nil` when it succeeded.
    func complaint(_ program: HostPath, _ arguments: [RawString]) throws -> String? {
        let outcome = try Spawn(program, arguments, environment: environment)
            .capture(limit: 1 << 16, timeout: .seconds(30))
        if outcome.status == .success { return nil }
        let lines = [outcome.errors, outcome.output].flatMap { $0.split(separator: UInt8(ascii: "\n")) }
        return lines.first.map { Quoted(bytes: $0).description } ?? "status \(outcome.status.code)"
    }

    /// What a program prints; `nil` when it fails.
    func output(_ program: HostPath, _ arguments: [RawString]) -> String? {
        guard
            let outcome = try? Spawn(program, arguments, environment: environment)
                .capture(limit: 1 << 16, timeout: .seconds(30)), outcome.status == .success
        else { return nil }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    private func run(_ program: HostPath, _ arguments: [RawString]) throws {
        guard let complaint = try complaint(program, arguments) else { return }
        throw SetupError.toolFailed(
            ShellWords.join([RawString(program.lastComponent)] + arguments).text, complaint)
    }

    // MARK: - Accounts: the tools of shadow, or those of busybox

    private var hasShadow: Bool { find("groupadd") != nil && find("gpasswd") != nil }

    func makeGroup(_ group: RawString) throws {
        if hasShadow {
            try run(try require("groupadd"), ["--system", group])
        } else {
            try run(try require("addgroup"), ["-S", group])
        }
    }

    func removeGroup(_ group: RawString) throws {
        if hasShadow {
            try run(try require("groupdel"), [group])
        } else {
            try run(try require("delgroup"), [group])
        }
    }

    func add(_ user: RawString, to group: RawString) throws {
        if hasShadow {
            try run(try require("gpasswd"), ["--add", user, group])
        } else {
            try run(try require("addgroup"), [user, group])
        }
    }

    func remove(_ user: RawString, from group: RawString) throws {
        if hasShadow {
            try run(try require("gpasswd"), ["--delete", user, group])
        } else {
            try run(try require("delgroup"), [user, group])
        }
    }
}
