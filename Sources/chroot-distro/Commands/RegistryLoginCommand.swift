import CLI
import Libc
import OCI
import Platform

struct RegistryLoginCommand: Command {
    static let spec = CommandSpec(
        "registry login", summary: "Log in to a registry", group: "Images",
        description: [
            "Asks the registry whether it takes the user name and password, and keeps them for pull, push and install: in docker's config.json, which nobody else can read, or in the credential helper that the file names. A registry may want an access token instead of the password.",
            "SERVER is the host that images are named by, such as ghcr.io; without it, it is Docker Hub. The login belongs to whoever runs the command; nobody is asked to become root.",
        ],
        operands: [Operand("SERVER", optional: true)],
        flags: [
            Flag("username", short: "u", value: "USER", help: "Who logs in; asked for otherwise"),
            Flag("password-stdin", help: "Read the password from standard input; needs --username"),
            .allowInsecure,
        ],
        examples: [
            .init("chroot-distro registry login ghcr.io -u me"),
            .init("pass show hub | chroot-distro registry login -u me --password-stdin"),
        ])

    private let registry: String
    private let user: String?
    private let readsInput: Bool
    private let allowsInsecure: Bool

    init(_ arguments: ParsedArguments) throws(UsageError) {
        registry = try arguments.registry()
        user = try arguments.text("username")
        readsInput = arguments.isSet("password-stdin")
        allowsInsecure = arguments.isSet("allow-insecure")
        if readsInput, user == nil { throw arguments.invalid("password-stdin", "--username is missing") }
        if let user,
            user.isEmpty || user.contains(":") || user.unicodeScalars.contains(where: { $0.value < 32 })
        {
            throw arguments.invalid("username", "\(Quoted(user)) cannot be a user name")
        }
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let (user, password) = try ask()
        let environment = context.caller.personal.texts
        var registries = try context.registries()
        registries.allowsInsecure = allowsInsecure
        let login = RegistryLogin(
            http: HTTPSettings(version: Program.version, environment: environment), registries: registries,
            environment: environment)
        let source = readsInput ? "standard input" : "the terminal"
        if try !login.check(user: user, password, at: registry, source: source) {
            context.diagnostics.warning(
                "\(Quoted(registry)) asks nobody for a password, so it was not checked")
        }
        let keeper = CredentialKeeper(
            environment: context.caller.personal.texts, owner: context.caller.owner)
        let place = try keeper.save(user: user, password, for: registry)
        context.diagnostics.info(
            "Logged in to \(Quoted(registry)) as \(Quoted(user)); kept in \(Quoted(place))")
        return .success
    }

    private func ask() throws -> (user: String, password: Secret) {
        if readsInput, let user {
            let input = FileDescriptor(adopting: try syscall("dup") { fcntl(0, F_DUPFD_CLOEXEC, 3) })
            var bytes = try input.readAll(limit: 1 << 16)
            while let last = bytes.last, last == 0x0a || last == 0x0d { bytes.removeLast() }
            return (user, try Self.password(String(validating: bytes, as: UTF8.self)))
        }
        guard let terminal = Self.prompt() else { throw NoPassword.noTerminal }
        return try ask(terminal)
    }

    private static func prompt() -> Prompt? { try? Prompt() }

    private func ask(_ prompt: borrowing Prompt) throws -> (user: String, password: Secret) {
        let name = try user ?? prompt.line("User name for \(Quoted(registry)): ")
        guard let name, !name.isEmpty, !name.contains(":") else { throw NoPassword.noUser }
        return (name, try Self.password(prompt.password("Password or token of \(Quoted(name)): ")))
    }

    private static func password(_ text: String?) throws(NoPassword) -> Secret {
        guard let text, !text.isEmpty, !text.unicodeScalars.contains(where: { $0.value < 32 }) else {
            throw .empty
        }
        return Secret(text)
    }
}

struct RegistryLogoutCommand: Command {
    static let spec = CommandSpec(
        "registry logout", summary: "Forget the login of a registry", group: "Images",
        description: ["Removes what `registry login` or docker keep for SERVER; without it, for Docker Hub."],
        operands: [Operand("SERVER", optional: true)],
        examples: [.init("chroot-distro registry logout ghcr.io")])

    private let registry: String

    init(_ arguments: ParsedArguments) throws(UsageError) { registry = try arguments.registry() }

    func run(in context: borrowing Context) throws -> ExitStatus {
        let keeper = CredentialKeeper(
            environment: context.caller.personal.texts, owner: context.caller.owner)
        if let place = try keeper.erase(registry) {
            context.diagnostics.info("Logged out of \(Quoted(registry)); removed from \(Quoted(place))")
        } else {
            context.diagnostics.info("Nobody was logged in to \(Quoted(registry)).")
        }
        return .success
    }
}

/// Why there is nothing to log in with.
enum NoPassword: UserFacing {
    case noTerminal, noUser, empty

    var message: String {
        switch self {
        case .noTerminal: "there is no terminal to ask for the password"
        case .noUser: "that is no user name"
        case .empty: "that is no password: it is empty, or has control characters"
        }
    }

    var hint: String? {
        self == .noTerminal ? "Give it on standard input: registry login -u USER --password-stdin" : nil
    }
}

extension ParsedArguments {
    /// The operand `SERVER` as references name a registry.
    fileprivate func registry() throws(UsageError) -> String {
        guard let text = try optionalOperand("SERVER") else { return Reference.hub }
        var host = text[...]
        for scheme in ["https://", "http://"] where host.hasPrefix(scheme) {
            host = host.dropFirst(scheme.count)
        }
        // Docker's own name of its registry has a path; no other may.
        for ending in ["/", "/v1", "/v2"] where host.hasSuffix(ending) { host = host.dropLast(ending.count) }
        guard !host.contains("/"), let reference = try? Reference("\(host)/login/check") else {
            throw UsageError(
                "\(spec.name): \(Quoted(text)) is not the host of a registry",
                hint: "Such as ghcr.io or registry.lan:5000.",
                command: spec.name)
        }
        guard reference.repository == "login/check" else {
            throw UsageError(
                "\(spec.name): \(Quoted(text)) is not the host of a registry",
                hint: "A host has a dot or a port, or is localhost.", command: spec.name)
        }
        return reference.registry
    }
}
