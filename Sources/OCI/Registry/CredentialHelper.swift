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
        guard !name.isEmpty, !name.contains("/"), let output = try run(server, environment) else {
            return nil
        }
        guard let answer = try? JSON.decode(Answer.self, from: output, name: name),
            let user = answer.Username, let secret = answer.Secret, !secret.isEmpty
        else { return nil }
        return user == "<token>" ? .identity(Secret(secret)) : .password(user: user, Secret(secret))
    }

    /// The output of a run that went well.
    private func run(_ server: String, _ environment: [String: String]) throws -> [UInt8]? {
        // execvp(3) would look in the program's own PATH, not in the one that was handed in.
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let paths: [String] = folders.map { "\($0)/docker-credential-\(name)" }
        guard let path = paths.first(where: { (path: String) -> Bool in access(path, X_OK) == 0 }) else {
            return nil
        }
        var variables = Environment(entries: environment.map { RawString("\($0.key)=\($0.value)") })
        if let name = owner?.name {
            variables["USER"] = name
            variables["LOGNAME"] = name
        }
        var program = Spawn(HostPath(path), ["get"], environment: variables)
        program.identity = owner?.identity
        do {
            let answer = try program.capture(input: Array(server.utf8), limit: 1 << 20, timeout: patience)
            return answer.status == .success ? answer.output : nil
        } catch is SpawnFailure {
            return nil
        }
    }
}
