import FoundationEssentials
import Platform

/// Who we say that we are.
package enum Credential: Hashable, Sendable {
    case password(user: String, Secret)
    /// A refresh token that the registry's token server exchanges.
    case identity(Secret)

    /// The value of `Authorization` in the scheme Basic (RFC 7617).
    var basic: Secret? {
        guard case .password(let user, let password) = self else { return nil }
        return Secret("Basic " + Data("\(user):\(password.value)".utf8).base64EncodedString())
    }
}

/// Finds the credentials for a registry, in this order.
///
/// `CD_DOCKER_AUTH`, `PD_DOCKER_AUTH`; docker's `config.json` (`DOCKER_CONFIG`, `~/.docker`); `auth.json` of podman,
/// skopeo and buildah (`REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers`, `~/.config/containers`). In the files
/// credential helpers go before what is written there.
package struct CredentialSource: Sendable {
    /// A credential and where it comes from, for messages.
    package struct Found: Hashable, Sendable {
        package let credential: Credential
        package let source: String
    }

    /// The person whose files these are, when this process is root in their name.
    package struct Owner: Sendable {
        package let identity: Spawn.Identity
        package let name: RawString?

        package init(_ identity: Spawn.Identity, name: RawString?) {
            self.identity = identity
            self.name = name
        }
    }

    private let environment: [String: String]
    private let owner: Owner?

    /// What the files of `owner` name is run as `owner`.
    package init(environment: [String: String], owner: Owner? = nil) {
        self.environment = environment
        self.owner = owner
    }

    /// What to present to `registry` for `repository`; `nil` is nobody.
    ///
    /// A mirror gets what is written for its own host, never what is in the environment for the registry itself.
    package func find(registry: String, repository: String, isMirror: Bool = false) throws -> Found? {
        if !isMirror, let found = try inEnvironment() { return found }
        for path in files() {
            guard let bytes = try? FileDescriptor.open(HostPath(path), 0).readAll(limit: documentLimit) else {
                continue
            }
            let file = try JSON.decode(CredentialFile.self, from: bytes, name: path)
            if let found = try file.find(registry, repository, environment: environment, owner) {
                return Found(credential: found.0, source: found.1 ?? path)
            }
        }
        return nil
    }

    private func inEnvironment() throws(RegistryError) -> Found? {
        for name in ["CD_DOCKER_AUTH", "PD_DOCKER_AUTH"] {
            guard let value = environment[name], !value.isEmpty else { continue }
            guard let colon = value.firstIndex(of: ":"), colon != value.startIndex else {
                throw .credentials("\(name) has no colon between user name and password")
            }
            let user = String(value[..<colon])
            return Found(
                credential: .password(user: user, Secret(String(value[value.index(after: colon)...]))),
                source: name)
        }
        return nil
    }

    private func files() -> [String] {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let home = value("HOME")
        let docker =
            value("DOCKER_CONFIG").map { "\($0)/config.json" } ?? home.map { "\($0)/.docker/config.json" }
        if let named = value("REGISTRY_AUTH_FILE") { return [docker, named].compactMap { $0 } }
        return [
            docker, value("XDG_RUNTIME_DIR").map { "\($0)/containers/auth.json" },
            (value("XDG_CONFIG_HOME") ?? home.map { "\($0)/.config" }).map { "\($0)/containers/auth.json" },
        ].compactMap { $0 }
    }
}

/// The part of docker's and podman's files that has credentials.
struct CredentialFile: Decodable {
    struct Entry: Decodable {
        var auth: String?
        var username: String?
        var password: String?
        var identitytoken: String?
    }

    var auths: [String: Entry]?
    var credHelpers: [String: String]?
    var credsStore: String?

    /// The credential, and the helper's name when it came from one.
    func find(
        _ registry: String, _ repository: String, environment: [String: String],
        _ owner: CredentialSource.Owner? = nil
    ) throws -> (Credential, String?)? {
        let server = registry == Reference.hub ? "https://index.docker.io/v1/" : registry
        if let helper = credHelpers?[registry] ?? credHelpers?[server] ?? credsStore,
            let found = try CredentialHelper(name: helper, owner: owner).get(server, environment: environment)
        {
            return (found, "docker-credential-\(helper)")
        }
        let wanted = "\(registry)/\(repository)"
        // The longest key that leads to the repository is the one that is meant.
        let best = (auths ?? [:]).map { (Self.normalize($0.key), $0.value) }
            .filter { wanted == $0.0 || wanted.hasPrefix($0.0 + "/") }
            .max { $0.0.utf8.count < $1.0.utf8.count }
        return best?.1.credential.map { ($0, nil) }
    }

    /// `https://index.docker.io/v1/` and its like, as references name the host.
    static func normalize(_ key: String) -> String {
        var text = key[...]
        var hadScheme = false
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            text = text.dropFirst(scheme.count)
            hadScheme = true
        }
        for ending in ["/", "/v1", "/v2"] where text.hasSuffix(ending) && (hadScheme || ending == "/") {
            text = text.dropLast(ending.count)
        }
        let host = text.prefix { $0 != "/" }
        let hub = ["index.docker.io", "registry-1.docker.io", "docker.io"]
        return hub.contains(String(host)) ? Reference.hub + text.dropFirst(host.count) : String(text)
    }
}

extension CredentialFile.Entry {
    var credential: Credential? {
        if let identitytoken, !identitytoken.isEmpty { return .identity(Secret(identitytoken)) }
        if let auth, !auth.isEmpty, let data = Data(base64Encoded: auth) {
            let text = String(decoding: data, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { return nil }
            // Docker pads the password with NULs.
            let password = text[text.index(after: colon)...].prefix { $0 != "\0" }
            return .password(user: String(text[..<colon]), Secret(String(password)))
        }
        guard let username, let password, !username.isEmpty else { return nil }
        return .password(user: username, Secret(password))
    }
}
