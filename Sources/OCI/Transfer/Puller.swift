import Platform

/// Brings an image from a registry into the store, and its layers to whoever applies them.
package struct Puller: Sendable {
    package var http: HTTPSettings
    package var credentials: CredentialSource
    package var registries: RegistriesConfiguration
    package var retry: RetryPolicy
    package var transfer: TransferSettings

    /// Reads from `environment` what the person set there: credentials, retries, workers, rate and certificates.
    package init(
        version: String, environment: [String: String],
        registries: RegistriesConfiguration = RegistriesConfiguration(),
        owner: CredentialSource.Owner? = nil
    ) {
        http = HTTPSettings(version: version, environment: environment)
        credentials = CredentialSource(environment: environment, owner: owner)
        retry = RetryPolicy(environment: environment)
        transfer = TransferSettings(environment: environment)
        self.registries = registries
    }

    /// Finds out what `reference` is for `platform`, without fetching its layers.
    ///
    /// The documents are kept in the store, but the name is only given when all layers are there: see `pull`.
    package func resolve(
        _ reference: Reference, for platform: ImagePlatform, policy: PullPolicy = .missing,
        in store: borrowing ImageLayout
    ) throws -> ResolvedImage {
        let clients = clients(for: reference, policy)
        return try resolve(reference, platform, policy, store, clients)
    }

    /// Pulls an image and hands its layers to `sink` in their order, each as soon as it is there.
    ///
    /// When this throws, the parts that have come stay in the store and the next pull goes on with them. With an `id`,
    /// another image than that one is an error, and no layer of it is fetched.
    @discardableResult
    package func pull(
        _ reference: Reference, for platform: ImagePlatform, policy: PullPolicy = .missing, id: Digest? = nil,
        in store: borrowing ImageLayout, observer: (any PullObserver)? = nil, into sink: inout some LayerSink
    ) throws -> ResolvedImage {
        let use = try store.beginUse()
        let clients = clients(for: reference, policy)
        let image = try resolve(reference, platform, policy, store, clients)
        if let id, image.manifest.value.config.digest != id { throw PullError.otherImage(reference) }
        try LayerTransfer.run(image.stack, in: store, observer) { missing, board in
            try BlobFetcher(
                missing, of: image.reference, from: clients, into: store, board: board, settings: transfer,
                http: http)
        } handOn: { layer in
            try sink.apply(layer)
        }
        if !image.isFromStore { try store.tag(reference, as: image.top) }
        _ = consume use  // It was needed up to here.
        return image
    }

    /// Pulls an image into the store only.
    @discardableResult
    package func fetch(
        _ reference: Reference, for platform: ImagePlatform, policy: PullPolicy = .missing,
        in store: borrowing ImageLayout, observer: (any PullObserver)? = nil
    ) throws -> ResolvedImage {
        var sink = NoSink()
        return try pull(reference, for: platform, policy: policy, in: store, observer: observer, into: &sink)
    }

    /// Hands the layers of an image that is in the store to `sink`, without any network.
    package static func deliver(
        _ image: LayerStack, in store: borrowing ImageLayout, observer: (any PullObserver)? = nil,
        into sink: inout some LayerSink
    ) throws {
        let use = try store.beginUse()
        try LayerTransfer.run(image, in: store, observer) { missing, _ in
            throw BlobError.missing(missing[0].digest)
        } handOn: { layer in
            try sink.apply(layer)
        }
        _ = consume use  // It was needed up to here.
    }

    /// The same for an image with its documents.
    package func deliver(
        _ image: ResolvedImage, in store: borrowing ImageLayout, observer: (any PullObserver)? = nil,
        into sink: inout some LayerSink
    ) throws {
        try Self.deliver(image.stack, in: store, observer: observer, into: &sink)
    }

    private func clients(for reference: Reference, _ policy: PullPolicy) -> [RegistryClient] {
        if policy == .never { return [] }
        return registries.endpoints(of: reference.registry).map { endpoint in
            var settings = http
            var tries = retry
            if endpoint.mirrorOf != nil {
                // Behind a mirror stands another server, so nobody waits long for it.
                settings.connectTimeout = min(settings.connectTimeout, 8000)
                tries.retries = min(tries.retries, 1)
            }
            return RegistryClient(endpoint, settings: settings, credentials: credentials, retry: tries)
        }
    }

    // MARK: - Documents

    private func resolve(
        _ reference: Reference, _ platform: ImagePlatform, _ policy: PullPolicy,
        _ store: borrowing ImageLayout, _ clients: [RegistryClient]
    ) throws -> ResolvedImage {
        let known = try find(reference, in: store)
        if let known, policy != .always || reference.digest != nil {
            let stored = try? resolveStored(reference, platform, known, store)
            if let stored, policy == .missing || isComplete(stored, store) { return stored }
        }
        if policy == .never { throw PullError.notStored(reference) }
        return try asking(clients) { client in
            if policy == .always, let known, try client.digest(of: reference) == known.digest,
                let stored = try? resolveStored(reference, platform, known, store)
            {
                return stored
            }
            return try resolveRemote(reference, platform, client, store)
        }
    }

    private func find(_ reference: Reference, in store: borrowing ImageLayout) throws -> Descriptor? {
        var known = try store.find(reference)
        // The name is the store's, not the image's.
        known?.annotations = nil
        return known
    }

    /// Asks one server after the other; what the last one, the registry itself, says counts.
    private func asking<Value>(_ clients: [RegistryClient], _ body: (RegistryClient) throws -> Value) throws
        -> Value
    {
        for client in clients.dropLast() {
            if let value = try? body(client) { return value }
        }
        guard let last = clients.last else { throw MissingLibrary.curl }
        return try body(last)
    }

    private func resolveStored(
        _ reference: Reference, _ platform: ImagePlatform, _ top: Descriptor, _ store: borrowing ImageLayout
    ) throws -> ResolvedImage {
        let source = StoredDocuments(store: try store.duplicate())
        var resolver = ImageResolver(source: source, reference: reference, platform: platform)
        return try resolver.resolve(top, source.document(top), isFromStore: true)
    }

    private func isComplete(_ image: ResolvedImage, _ store: borrowing ImageLayout) -> Bool {
        image.stack.isStored(in: store)
    }

    private func resolveRemote(
        _ reference: Reference, _ platform: ImagePlatform, _ client: RegistryClient,
        _ store: borrowing ImageLayout
    ) throws -> ResolvedImage {
        let answer = try client.manifest(of: reference, reference.manifestName)
        let digest = try Digest.of(answer.bytes, reference.digest?.algorithm ?? .sha256)
        if let wanted = reference.digest, wanted != digest {
            throw BlobError.wrongDigest(wanted, actual: digest)
        }
        let top = Descriptor(mediaType: answer.mediaType, digest: digest, size: Int64(answer.bytes.count))
        let source = RemoteDocuments(client: client, image: reference, store: try store.duplicate())
        var resolver = ImageResolver(source: source, reference: reference, platform: platform)
        let image = try resolver.resolve(top, answer.bytes, isFromStore: false)
        try store.put(answer.bytes, as: digest)
        return image
    }
}

/// Why an image could not be pulled, apart from what the registry says.
package enum PullError: UserFacing, Hashable {
    case notStored(Reference)
    case damaged(Reference, Digest)
    /// The name stands for another image than it did.
    case otherImage(Reference)

    package var message: String {
        switch self {
        case .notStored(let image): "\(Quoted(image.description)) is not in the image store"
        case .damaged(let image, let layer):
            "the stored copy of layer \(layer.short) of \(Quoted(image.description)) was damaged and has been removed"
        case .otherImage(let image): "\(Quoted(image.description)) is another image by now"
        }
    }

    package var hint: String? {
        switch self {
        case .notStored: "Without the option that forbids it, it is fetched from its registry."
        case .damaged: "Run the command again: the layer is then fetched anew."
        case .otherImage: nil
        }
    }
}
