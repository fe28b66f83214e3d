import Libc
import Platform

/// A copy of `/etc` that only a test's own programs see, with a user in it whom the host never gets to know.
///
/// It is bound over `/etc` in a mount namespace that ends with each command, so that there is nothing to undo.
package struct PrivateEtc {
    /// The copy.
    package let path: HostPath
    /// The user's name; `sudo` and `doas` let it do everything without a password.
    package static let user = "cdtester"
    /// The user's home directory, outside `/home`.
    package let home: HostPath

    /// Copies `/etc` into `directory` and adds the user and the rules to the copy.
    package init(in directory: HostPath) throws {
        path = directory / "etc"
        home = directory / "home"
        try Run.succeeding("cp", ["-a", "/etc", path.rawValue])
        try Run.succeeding("chmod", ["711", directory.rawValue])
        let rules = [
            "sudoers.d": "\(Self.user) ALL=(ALL) NOPASSWD: ALL\n",
            "doas.conf": "permit nopass \(Self.user)\n",
        ]
        try Run.succeeding("mkdir", ["-p", (path / "sudoers.d").rawValue])
        try TestImage.write(rules["sudoers.d"] ?? "", to: path / "sudoers.d/cdtester")
        try TestImage.write(rules["doas.conf"] ?? "", to: path / "doas.conf")
        try Run.succeeding("chmod", ["440", (path / "sudoers.d/cdtester").rawValue])
        try Run.succeeding("chmod", ["400", (path / "doas.conf").rawValue])
        try asRoot("useradd", "--create-home", "--home-dir", home.rawValue, "--shell", "/bin/sh", Self.user)
    }

    /// Runs a program as root with this `/etc`.
    @discardableResult
    package func asRoot(_ command: String...) throws -> String {
        try Run.succeeding("unshare", Self.prefix(path) + command)
    }

    /// Runs a program as the user, with this `/etc` and with no group but the user's own.
    package func asUser(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = Run.environment,
        directory: HostPath? = nil, timeout: Double = 60
    ) throws -> Run.Outcome {
        try Run.program(
            "unshare", words(program, arguments), environment: variables(environment), directory: directory,
            timeout: timeout)
    }

    /// Starts a program as the user on a terminal.
    package func onTerminal(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = Run.environment
    ) throws -> TestTerminal {
        try TestTerminal("unshare", words(program, arguments), environment: variables(environment))
    }

    /// What unshare(1) needs to run a program as the user.
    private func words(_ program: String, _ arguments: [String]) -> [String] {
        Self.prefix(path) + [
            "setpriv", "--reuid", Self.user, "--regid", Self.user, "--init-groups", "--inh-caps=-all",
            program,
        ] + arguments
    }

    private func variables(_ environment: [String: String]) -> [String: String] {
        environment.merging(["HOME": home.rawValue, "USER": Self.user]) { $1 }
    }

    private static func prefix(_ etc: HostPath) -> [String] {
        [
            "--mount", "--propagation", "private", "sh", "-c", "mount --bind \"$0\" /etc && exec \"$@\"",
            etc.rawValue,
        ]
    }
}
