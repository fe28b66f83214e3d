import Libc
import Platform

/// A program `docker-credential-NAME` that keeps passwords (docker-credential-helpers, README).
struct CredentialHelper {
    let name: String
    /// Whose helper it is, when that is somebody else than this process: it runs as nobody else.
    var owner: CredentialSource.Owner?
    /// A helper may ask a person, who may not be there.
    var patience: Duration = .seconds(60)

    private struct Answer: Decodable {
        var Username: String?
        var Secret: String?
    }

    /// Asks for the credential of `server`; `nil` when the helper has none, or is not installed.
    func get(_ server: String, environment: [String: String]) throws -> Credential? {
        guard !name.isEmpty, !name.contains("/"),
            case .done(let output) = try run("get", Array(server.utf8), environment)
        else { return nil }
        guard let answer = try? JSON.decode(Answer.self, from: output, name: name),
            let user = answer.Username, let secret = answer.Secret, !secret.isEmpty
        else { return nil }
        return user == "<token>" ? .identity(Secret(secret)) : .password(user: user, Secret(secret))
    }

    /// Gives a password to the helper to keep.
    func store(
        _ server: String, user: String, _ password: Secret, environment: [String: String]
    ) throws {
        struct Entry: Encodable {
            let ServerURL: String
            let Username: String
            let Secret: String
        }
        let entry = try JSON.encode(Entry(ServerURL: server, Username: user, Secret: password.value))
        switch try run("store", entry, environment) {
        case .done: return
        case .missing: throw RegistryError.helper(name: name, problem: "is not installed")
        case .failed(let said):
            throw RegistryError.helper(name: name, problem: "did not keep the password\(said)")
        }
    }

    /// Has the helper forget a password; false when it had none.
    func erase(_ server: String, environment: [String: String]) throws -> Bool {
        if case .done = try run("erase", Array(server.utf8), environment) { return true }
        return false
    }

    private enum Outcome {
        case done([UInt8])
        case failed(String)
        case missing
    }

    /// Runs the helper with one of its verbs.
    private func run(_ verb: String, _ input: [UInt8], _ environment: [String: String]) throws -> Outcome {
        guard !name.isEmpty, !name.contains("/") else { return .missing }
        // execvp(3) would look in the program's own PATH, not in the one that was handed in.
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let paths: [String] = folders.map { "\($0)/docker-credential-\(name)" }
        guard let path = paths.first(where: { (path: String) -> Bool in access(path, X_OK) == 0 }) else {
            return .missing
        }
        var variables = Environment(entries: environment.map { RawString("\($0.key)=\($0.value)") })
        if let name = owner?.name {
            variables["USER"] = name
            variables["LOGNAME"] = name
        }
        var program = Spawn(HostPath(path), [RawString(verb)], environment: variables)
        program.identity = owner?.identity
        do {
            let answer = try program.capture(input: input, limit: 1 << 20, timeout: patience)
            if answer.status == .success { return .done(answer.output) }
            let said = String(decoding: answer.output.prefix(200), as: UTF8.self).split(
                whereSeparator: \.isNewline
            ).first
            return .failed(said.map { ": \(Quoted(String($0)))" } ?? "")
        } catch is SpawnFailure {
            return .missing
        }
    }
}
