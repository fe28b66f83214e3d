import Platform

/// What the person says about registries: their mirrors, their certificates, and which may be talked to in the open.
package struct RegistriesConfiguration: Sendable {
    /// One registry's part of the file.
    package struct Entry: Codable, Hashable, Sendable {
        /// `host[:port][/prefix]`, asked in this order before the registry itself.
        package var mirrors: [String]?
        /// Any certificate will do, and so will plain HTTP.
        package var insecure: Bool?
        /// A PEM file with the certificates to trust instead of the system's.
        package var ca: String?
    }

    private struct File: Decodable { var registries: [String: Entry]? }

    package var entries: [String: Entry]
    /// The person said `--allow-insecure`: every registry but Docker Hub counts as insecure.
    package var allowsInsecure = false

    package init(entries: [String: Entry] = [:], allowsInsecure: Bool = false) {
        self.entries = entries
        self.allowsInsecure = allowsInsecure
    }

    /// Reads the section `registries` of a configuration file.
    package init(json bytes: [UInt8], name: String) throws(DocumentError) {
        entries = try JSON.decode(File.self, from: bytes, name: name).registries ?? [:]
    }

    /// Whom to ask for images of `registry`: its mirrors, then itself.
    func endpoints(of registry: String) -> [RegistryEndpoint] {
        let mirrors = (entries[registry]?.mirrors ?? []).map { mirror in
            let bare = mirror.hasSuffix("/") ? mirror.dropLast() : mirror[...]
            let slash = bare.firstIndex(of: "/") ?? bare.endIndex
            let prefix = bare[slash...].dropFirst()
            return endpoint(String(bare[..<slash]), prefix: String(prefix), mirrors: registry)
        }
        return mirrors + [endpoint(registry, prefix: "", mirrors: nil)]
    }

    private func endpoint(_ host: String, prefix: String, mirrors origin: String?) -> RegistryEndpoint {
        let entry = entries[host]
        let isInsecure =
            entry?.insecure == true || (allowsInsecure && host != Reference.hub)
            || WebURL.isLoopback(WebURL.split(host[...])?.host ?? host)
        return RegistryEndpoint(
            registry: host, prefix: prefix, mirrorOf: origin, isInsecure: isInsecure, caFile: entry?.ca,
            others: entries)
    }
}

/// One server that has images of a registry.
struct RegistryEndpoint: Hashable, Sendable {
    /// As references name it.
    let registry: String
    /// What a mirror puts before each repository.
    let prefix: String
    let mirrorOf: String?
    let isInsecure: Bool
    let caFile: String?
    /// What the person says about other servers.
    var others: [String: RegistriesConfiguration.Entry] = [:]

    /// How far a server is trusted to which this one leads: of another host only what is said of that one counts.
    func trust(for origin: WebURL.Origin) -> HTTPTrust {
        if WebURL.split(host[...])?.host == origin.host {
            return HTTPTrust(verifies: !isInsecure, caFile: caFile)
        }
        let entry = others[origin.authority]
        return HTTPTrust(verifies: entry?.insecure != true, caFile: entry?.ca)
    }

    /// Whether that server may be spoken to in the open.
    func allowsOpen(_ origin: WebURL.Origin) -> Bool { !trust(for: origin).verifies }

    /// The host that is really asked.
    var host: String { registry == Reference.hub ? "registry-1.docker.io" : registry }

    func path(of repository: String) -> String { prefix.isEmpty ? repository : "\(prefix)/\(repository)" }
}
