import Archive
import Libc
import Platform

/// Building the tree of an image from its layers in the store.
extension ImageTree {
    /// Reads the layers, each verified, several at a time.
    package init(of stack: LayerStack, in store: borrowing ImageLayout) throws {
        let reading = try LayerReading(stack, store)
        // The first one loads the library, which is done by one thread.
        _ = try DigestHasher(.sha256)
        let helpers = max(0, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)), stack.layers.count) - 1)
        try Worker.beside((0..<helpers).map { _ in { reading.run() } }) { reading.run() }
        self.init()
        for index in stack.layers.indices { try apply(reading.takeMembers(index)) }
    }
}

extension LayerStack {
    /// Throws `ImageTreeError.missing` for the first layer that is not in the store.
    package func requireStored(in store: borrowing ImageLayout) throws {
        for layer in layers where !store.has(layer) {
            throw ImageTreeError.missing(reference, layer.digest)
        }
    }
}

/// The layers of an image, each of which some thread reads.
private final class LayerReading {
    private let stack: LayerStack
    private let store: ImageLayout
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    // Guarded by `mutex`.
    /// The last one is the next, the largest first.
    private var waiting: [Int]
    private var results: [Result<[LayerMember], any Error>?]

    init(_ stack: LayerStack, _ store: borrowing ImageLayout) throws {
        self.stack = stack
        self.store = try store.duplicate()
        waiting = stack.layers.indices.sorted { stack.layers[$0].size < stack.layers[$1].size }
        results = Array(repeating: nil, count: stack.layers.count)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Reads until no layer is left, or one has failed.
    func run() {
        while let index = locked({ waiting.popLast() }) {
            let result = Result { try read(stack.layers[index]) }
            locked {
                results[index] = result
                if case .failure = result { waiting = [] }
            }
        }
    }

    private func read(_ layer: Descriptor) throws -> [LayerMember] {
        do {
            return try LayerMember.read(
                FileSource(store.open(layer)), blob: ExpectedContent(digest: layer.digest, size: layer.size))
        } catch let error as BlobError {
            guard case .missing = error else { throw error }
            throw ImageTreeError.missing(stack.reference, layer.digest)
        } catch let error as any UserFacing {
            throw ImageTreeError.unreadable(layer.digest, error.message)
        }
    }

    /// What was read of a layer, which is then forgotten; the first failure comes out wherever it was.
    func takeMembers(_ index: Int) throws -> [LayerMember] {
        for case .failure(let error) in results { throw error }
        defer { results[index] = nil }
        return try results[index]?.get() ?? []
    }
}

/// Layers from which no tree can be made.
package enum ImageTreeError: UserFacing, Hashable {
    case missing(Reference, Digest)
    /// The text is safe to print.
    case unreadable(Digest, String)

    package var message: String {
        switch self {
        case .missing(let image, let layer):
            "layer \(layer.short) of \(Quoted(image.familiar)) is not in the image store any more"
        case .unreadable(let layer, let reason): "layer \(layer.short): \(reason)"
        }
    }

    package var hint: String? {
        switch self {
        case .missing(let image, _):
            image.registry == "localhost" || image.digest == nil
                ? "Install its archive once more under another name."
                : "Fetch it with: chroot-distro pull \(Quoted(image.familiar))"
        case .unreadable:
            "The image store is damaged there; chroot-distro doctor tells more."
        }
    }
}
