/// The name of an image in a registry, as Docker writes it: `host[:port]/path:tag@digest`.
///
/// The grammar is that of the distribution project (`reference.go`): without a host the image is on Docker Hub, and
/// there a name of one component is below `library/`. With a digest the tag only informs.
package struct Reference: Hashable, Sendable {
    /// Host and port, lower-case or upper-case as given; `docker.io` for every name of Docker Hub.
    package let registry: String
    /// The path below the registry, such as `library/alpine`.
    package let repository: String
    /// `nil` only beside a digest.
    package let tag: String?
    package let digest: Digest?

    /// Reads what a person typed; a tag that is not there is `latest`.
    package init(_ text: String) throws(ReferenceError) {
        var parser = ReferenceParser(text)
        let parts = try parser.parse()
        registry = parts.registry
        repository = parts.repository
        digest = parts.digest
        tag = parts.tag ?? (parts.digest == nil ? "latest" : nil)
    }

    private init(registry: String, repository: String, tag: String?, digest: Digest?) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// The same name, pinned to some content.
    package func pinned(to digest: Digest) -> Reference {
        Reference(registry: registry, repository: repository, tag: tag, digest: digest)
    }

    /// `host/path`, without tag and digest.
    package var name: String { "\(registry)/\(repository)" }

    /// The short form that people type: without `docker.io/` and `library/`.
    package var familiar: String {
        guard registry == Self.hub else { return description }
        let short = repository.hasPrefix("library/") ? String(repository.dropFirst(8)) : repository
        // Not every short form reads back as the same name: `docker.io/a.b/c` must keep its host.
        guard (try? Reference(short + suffix)) == self else { return description }
        return short + suffix
    }

    /// What a container made of this image is called when nobody says otherwise.
    package var defaultContainerName: String {
        repository.split(separator: "/").last.map(String.init) ?? repository
    }

    /// What the registry's own paths call the content: the digest, else the tag.
    package var manifestName: String { digest?.description ?? tag ?? "latest" }

    private var suffix: String { (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    /// The name under which Docker Hub is known here.
    package static let hub = "docker.io"
}

extension Reference: CustomStringConvertible {
    /// The full form, with nothing left out; it reads back as the same reference.
    package var description: String { name + suffix }
}
