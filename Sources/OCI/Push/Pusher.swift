import Archive
import Platform

/// Brings images of the store to a registry.
package struct Pusher: Sendable {
    package var http: HTTPSettings
    package var credentials: CredentialSource
    package var registries: RegistriesConfiguration
    package var retry: RetryPolicy
    package var transfer: TransferSettings

    /// With all that a puller knows of the network and of the person.
    package init(_ puller: Puller) {
        http = puller.http
        credentials = puller.credentials
        registries = puller.registries
        retry = puller.retry
        transfer = puller.transfer
    }

    /// What a push did.
    package struct Outcome: Hashable, Sendable {
        /// Of what the registry now has under the name.
        package var digest: Digest
        /// Bytes of blobs that were sent.
        package var bytes: Int64 = 0
        package var sent = 0
        /// Blobs that the registry had, and those that it took from another repository.
        package var present = 0
        package var mounted = 0
    }

    /// Pushes `shipment` under the tag of `reference`, or by its digest alone where that has none.
    ///
    /// Every blob is at the registry, and the registry has said so, before a manifest is sent: nobody ever finds an
    /// image there of which something is missing. `catalog` tells which other repositories may have blobs of it.
    @discardableResult
    package func push(
        _ shipment: Shipment, as reference: Reference, from store: borrowing ImageLayout,
        knowing catalog: ImageCatalog = ImageCatalog(), observer: (any PullObserver)? = nil
    ) throws -> Outcome {
        let use = try store.beginUse()
        guard let endpoint = registries.endpoints(of: reference.registry).last else {
            throw MissingLibrary.curl
        }
        let client = RegistryClient(endpoint, settings: http, credentials: credentials, retry: retry)
        let donors = Self.donors(of: shipment, to: reference, catalog)
        client.actions = "pull,push"
        client.readable = Set(donors.values.joined()).sorted()
        try client.meet(reference)
        _ = try client.authorization(reference)
        var outcome = try upload(shipment, reference, store, client, donors, observer)
        for document in shipment.documents {
            let isLast = document.descriptor.digest == shipment.top.digest
            let name =
                isLast
                ? reference.tag ?? document.descriptor.digest.description
                : document.descriptor.digest.description
            try put(document, as: name, reference, client)
        }
        outcome.digest = shipment.top.digest
        _ = consume use  // It was needed up to here.
        return outcome
    }

    /// Repositories of the same registry that have a blob, as far as the store knows; at most two for each.
    private static func donors(
        of shipment: Shipment, to reference: Reference, _ catalog: ImageCatalog
    ) -> [Digest: [String]] {
        var donors: [Digest: [String]] = [:]
        let wanted = Set(shipment.blobs.map(\.digest))
        for image in catalog.images {
            guard let name = try? Reference(image.name), name.registry == reference.registry,
                name.repository != reference.repository, name.digest == nil
            else { continue }
            for part in image.parts where wanted.contains(part.digest) {
                let known = donors[part.digest] ?? []
                if known.count < 2, !known.contains(name.repository) {
                    donors[part.digest] = known + [name.repository]
                }
            }
        }
        return donors
    }

    // MARK: - Blobs

    /// What one thread has done.
    private final class Tally {
        var outcomes: [(BlobUpload.Outcome, Int64)] = []
    }

    private func upload(
        _ shipment: Shipment, _ reference: Reference, _ store: borrowing ImageLayout,
        _ client: RegistryClient,
        _ donors: [Digest: [String]], _ observer: (any PullObserver)?
    ) throws -> Outcome {
        // The largest take longest, so they go first.
        let blobs = shipment.blobs.sorted { $0.size > $1.size }
        let board = TransferBoard(layers: blobs)
        var tallies: [Tally] = []
        var threads: [() -> Void] = []
        for _ in 0..<min(transfer.workers, blobs.count) {
            let tally = Tally()
            tallies.append(tally)
            threads.append(try worker(board, reference, store, client.sibling(), donors, tally))
        }
        if let observer { threads.append { LayerTransfer.show(board, observer) } }
        try Worker.beside(threads) {
            defer { board.close() }
            for blob in blobs { try board.await(blob.digest) }
        }
        var outcome = Outcome(digest: shipment.top.digest)
        for (how, size) in tallies.flatMap(\.outcomes) {
            switch how {
            case .present: outcome.present += 1
            case .mounted: outcome.mounted += 1
            case .sent:
                outcome.sent += 1
                outcome.bytes += size
            }
        }
        return outcome
    }

    /// A thread that brings one blob after the other, as long as there are some and nothing has failed.
    private func worker(
        _ board: TransferBoard, _ reference: Reference, _ store: borrowing ImageLayout,
        _ client: RegistryClient,
        _ donors: [Digest: [String]], _ tally: Tally
    ) throws -> () -> Void {
        let store = SharedLayout(try store.duplicate())
        client.isStopped = { board.isClosing }
        return {
            while let blob = board.takeNext() {
                board.set(blob.digest, .checking, done: 0)
                let upload = BlobUpload(blob, of: reference, to: client, donors: donors[blob.digest] ?? []) {
                    done in
                    board.set(blob.digest, .uploading, done: done)
                }
                do {
                    tally.outcomes.append((try upload.run(from: store.layout), blob.size))
                    board.set(blob.digest, .ready, done: blob.size)
                } catch {
                    return board.fail(blob.digest, error)
                }
            }
        }
    }

    /// The store of one thread, which a closure can hold.
    private final class SharedLayout {
        let layout: ImageLayout
        init(_ layout: consuming ImageLayout) { self.layout = layout }
    }

    // MARK: - Documents

    private func put(
        _ document: Shipment.Document, as name: String, _ reference: Reference, _ client: RegistryClient
    ) throws {
        let answer = try client.answer(
            "PUT", client.url(of: reference, "manifests/\(name)"), of: reference,
            headers: [("Content-Type", document.descriptor.mediaType.rawValue)], body: document.bytes)
        guard [200, 201, 202, 204].contains(answer.head.status) else {
            throw client.pushRefusal(answer.head, answer.body, "the manifest", reference)
        }
        let kept = answer.head["docker-content-digest"]
        if let kept, kept != document.descriptor.digest.description {
            throw PushError.wrongDigest(
                host: client.endpoint.host, sent: document.descriptor.digest, kept: kept)
        }
    }
}
