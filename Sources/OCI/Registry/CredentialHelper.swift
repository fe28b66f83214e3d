import CLinux
import Libc
import Platform

/// A program `docker-credential-NAME` that keeps passwords (docker-credential-helpers, README).
struct CredentialHelper {
    let name: String

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
        let program = "docker-credential-\(name)"
        let input = try FileDescriptor(adopting: syscall("memfd_create") { cd_memfd("credential-server") })
        try input.writeAll(server)
        try input.seek(to: 0)
        let output = try FileDescriptor(adopting: syscall("memfd_create") { cd_memfd("credential-answer") })
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.rawValue, 0)
        posix_spawn_file_actions_adddup2(&actions, output.rawValue, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup("get"), nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        // posix_spawnp(3) would look in the program's own PATH, not in the one that was handed in.
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let paths: [String] = folders.map { "\($0)/\(program)" }
        guard let path = paths.first(where: { (path: String) -> Bool in access(path, X_OK) == 0 }),
            posix_spawn(&process, path, &actions, nil, &arguments, &variables) == 0
        else { return nil }
        var status: Int32 = 0
        try syscall("waitpid") { waitpid(process, &status, 0) }
        guard status == 0 else { return nil }
        try output.seek(to: 0)
        return try output.readAll(limit: 1 << 20)
    }
}
