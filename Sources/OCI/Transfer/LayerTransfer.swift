import Archive
import Platform

/// Brings layers into the store.
///
/// It is made in one thread and runs in another; they meet at the board.
protocol LayerSupply: AnyObject {
    /// Returns when each layer is there or has failed, as the board then says, or soon after the board was closed.
    func run()

    /// The bytes of a layer, to be read beside `run` before they are in the store; `nil` when they are still elsewhere.
    func early(_ layer: Descriptor) throws -> (any ByteSource)?
}

extension LayerSupply {
    func early(_ layer: Descriptor) throws -> (any ByteSource)? { nil }
}

/// The layers of one image on their way.
///
/// ```
/// registry ── supply ── store ── hand on: unpack         archive ──┬── supply ── store
///           one thread           the caller's thread               └── hand on: unpack
/// ```
/// A third thread shows how far they are.
enum LayerTransfer {
    /// Hands on each layer in its order as soon as it can be read.
    ///
    /// `supply` is asked for what brings the layers that are missing, if there are any. When this returns, all layers
    /// are in the store, verified, and the threads have ended, as they have when it throws.
    static func run(
        _ image: LayerStack, in store: borrowing ImageLayout, _ observer: (any PullObserver)?,
        from supply: ([Descriptor], TransferBoard) throws -> any LayerSupply,
        handOn: (PulledLayer) throws -> Void
    ) throws {
        let layers = image.layers
        let board = TransferBoard(layers: layers)
        let missing = try missing(of: layers, in: store, board)
        var threads: [() -> Void] = []
        let supplier = missing.isEmpty ? nil : try supply(missing, board)
        if let supplier {
            threads.append {
                board.enterSupplier()
                supplier.run()
                board.leaveSupplier()
            }
        }
        if let observer { threads.append { show(board, observer) } }
        try Worker.beside(threads) {
            defer { board.close() }
            for index in layers.indices { try hand(index, of: image, store, board, supplier, handOn) }
            for layer in missing { try board.await(layer.digest) }
        }
    }

    /// Each that is not in the store, once; throws when there is no room for them.
    private static func missing(
        of layers: [Descriptor], in store: borrowing ImageLayout, _ board: TransferBoard
    ) throws -> [Descriptor] {
        var missing: [Descriptor] = []
        for layer in layers {
            if store.has(layer) {
                board.set(layer.digest, .ready, done: layer.size)
            } else if !missing.contains(where: { $0.digest == layer.digest }) {
                missing.append(layer)
            }
        }
        let needed = missing.reduce(0) { $0 + $1.size }
        let free = store.root.freeSpace
        // What lies there already of them does not come again.
        guard try free < 0 || needed <= free + store.partSpace() else {
            throw BlobError.noSpace(needed: needed, free: free)
        }
        return missing
    }

    /// Shows how far they are, until the board is closed.
    static func show(_ board: TransferBoard, _ observer: any PullObserver) {
        repeat { observer.show(board.progress) } while !board.awaitClose(seconds: 0.1)
        observer.show(board.progress)
    }

    private static func hand(
        _ index: Int, of image: LayerStack, _ store: borrowing ImageLayout, _ board: TransferBoard,
        _ supplier: (any LayerSupply)?, _ handOn: (PulledLayer) throws -> Void
    ) throws {
        let descriptor = image.layers[index]
        let early = try board.isReady(descriptor.digest) ? nil : supplier?.early(descriptor)
        if early == nil { try board.await(descriptor.digest) }
        let content = MeteredSource(try early ?? FileSource(store.open(descriptor))) { board.setApplying($0) }
        let layer = PulledLayer(
            index: index, descriptor: descriptor, diffID: image.diffID(index), content: content)
        board.setApplying(0)
        do {
            try handOn(layer)
        } catch  where !(error is SystemError) {
            // A blob that is not what its name says is the reason for anything: damage may show long before its end,
            // as a stream that cannot be decoded. What the supply brings, it has verified.
            if early != nil { try board.await(descriptor.digest) }
            // The next pull fetches it again.
            if try isDamaged(descriptor, in: store) {
                store.evict(descriptor.digest)
                throw PullError.damaged(image.reference, descriptor.digest)
            }
            throw error
        }
        board.setApplying(nil)
    }

    /// Whether the stored bytes of `layer` are not what it names.
    private static func isDamaged(_ layer: Descriptor, in store: borrowing ImageLayout) throws -> Bool {
        var reader = try VerifiedReader(store.open(layer), for: layer)
        do { try reader.drain() } catch is BlobError { return true }
        return false
    }
}

/// Tells how many bytes have been read.
private final class MeteredSource: ByteSource {
    private let source: any ByteSource
    private var count: Int64 = 0
    private let tell: (Int64) -> Void

    init(_ source: any ByteSource, _ tell: @escaping (Int64) -> Void) {
        self.source = source
        self.tell = tell
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let read = try source.read(into: buffer)
        count += Int64(read)
        tell(count)
        return read
    }
}
