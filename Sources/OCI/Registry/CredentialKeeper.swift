import Libc
import Platform

/// Keeps credentials where docker, podman and this program look for them: in docker's `config.json`, or in the helper
/// that the file names.
package struct CredentialKeeper {
    private let environment: [String: String]
    private let owner: CredentialSource.Owner?

    /// The helper runs as `owner`, if that is somebody else than this process.
    package init(environment: [String: String], owner: CredentialSource.Owner? = nil) {
        self.environment = environment
        self.owner = owner
    }

    /// What the files call a registry.
    private static func server(_ registry: String) -> String {
        registry == Reference.hub ? "https://index.docker.io/v1/" : registry
    }

    /// Keeps a password; where, in words for a person.
    package func save(user: String, _ password: Secret, for registry: String) throws -> String {
        struct Entry: Encodable { var auth: String? }
        let server = Self.server(registry)
        return try change(making: true) { text, file, path in
            if let helper = file.helper(for: registry, server) {
                try CredentialHelper(name: helper, owner: owner).store(
                    server, user: user, password, environment: environment)
                try text.set(server, in: "auths", to: JSON.encode(Entry()))
                return "docker-credential-\(helper)"
            }
            let auth = Base64.encode("\(user):\(password.value)".utf8)
            text.remove(in: "auths") { $0 != server && CredentialFile.normalize($0) == registry }
            try text.set(server, in: "auths", to: JSON.encode(Entry(auth: auth)))
            return path
        } ?? ""
    }

    /// Forgets what is kept for a registry; where it was, or `nil` when nothing was there.
    package func erase(_ registry: String) throws -> String? {
        let server = Self.server(registry)
        return try change(making: false) { text, file, path in
            var place: String?
            if let helper = file.helper(for: registry, server) {
                let isErased = try CredentialHelper(name: helper, owner: owner).erase(
                    server, environment: environment)
                if isErased { place = "docker-credential-\(helper)" }
            }
            if text.names(in: "auths").contains(where: { CredentialFile.normalize($0) == registry }) {
                text.remove(in: "auths") { CredentialFile.normalize($0) == registry }
                place = place ?? path
            }
            return place
        }
    }

    // MARK: - The file

    /// Reads, changes and replaces the file while no other process of ours does.
    private func change(
        making: Bool, _ body: (inout JSONEdit, CredentialFile, String) throws -> String?
    ) throws -> String? {
        let path = try location()
        guard let folder = try open(path.parent, making: making) else { return nil }
        // The directory is the lock; it is given up when it is closed.
        try syscall("flock", path.parent.description) { flock(folder.raw, LOCK_EX) }
        let name = RawString(path.lastComponent)
        let status = try folder.statusIfPresent(name)
        if status == nil, !making { return nil }
        var bytes = status == nil ? [] : try folder.readFile(name, limit: documentLimit)
        if bytes.allSatisfy({ [0x20, 0x09, 0x0a, 0x0d].contains($0) }) { bytes = Array("{}\n".utf8) }
        var text = try JSONEdit(bytes, name: path.rawValue)
        let file = try JSON.decode(CredentialFile.self, from: bytes, name: path.rawValue)
        let before = text.bytes
        let place = try body(&text, file, path.rawValue)
        if text.bytes != before || status == nil {
            let folderStatus = try folder.status()
            let (user, group) =
                status.map { ($0.owner, $0.group) } ?? (folderStatus.owner, folderStatus.group)
            // Root keeps the file theirs whose it is.
            try folder.replaceFile(
                name, with: text.bytes, mode: 0o600, owner: geteuid() == 0 ? (user, group) : nil)
        }
        return place
    }

    /// The file itself, where a link stands for it.
    private func location() throws -> HostPath {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let folder = value("DOCKER_CONFIG") ?? value("HOME").map({ "\($0)/.docker" }) else {
            throw RegistryError.noHome
        }
        let path = HostPath("\(folder)/config.json")
        guard let real = realpath(path.rawValue, nil) else { return path.absolute }
        defer { free(real) }
        return HostPath(String(cString: real))
    }

    private func open(_ path: HostPath, making: Bool) throws -> Directory? {
        do { return try Directory.open(path) } catch {
            guard error.code == ENOENT, making else {
                if error.code == ENOENT { return nil }
                throw error
            }
        }
        return try Directory.open(path.parent).openOrMakeDirectory(RawString(path.lastComponent), mode: 0o700)
    }
}

extension CredentialFile {
    fileprivate func helper(for registry: String, _ server: String) -> String? {
        let name = credHelpers?[registry] ?? credHelpers?[server] ?? credsStore
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }
}
