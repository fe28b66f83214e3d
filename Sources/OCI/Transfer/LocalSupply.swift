import Archive
import Platform

/// Copies layers from a file or a folder of this host, each verified on its way, while they are being unpacked.
final class LocalSupply: LayerSupply {
    private let missing: [Descriptor]
    private let store: ImageLayout
    private let board: TransferBoard
    private let open: (Descriptor) throws -> any ByteSource

    /// `open` is called from several threads.
    init(
        _ missing: [Descriptor], into store: borrowing ImageLayout, board: TransferBoard,
        open: @escaping (Descriptor) throws -> any ByteSource
    ) throws {
        self.missing = missing
        self.store = try store.duplicate()
        self.board = board
        self.open = open
    }

    func early(_ layer: Descriptor) throws -> (any ByteSource)? { try open(layer) }

    func run() {
        for layer in missing where !board.isClosing {
            do {
                let isWhole = try store.copy(layer, from: open(layer)) { done in
                    board.set(layer.digest, .downloading, done: done)
                    return !board.isClosing
                }
                guard isWhole else { return }
                board.set(layer.digest, .ready, done: layer.size)
            } catch {
                return board.fail(layer.digest, error)
            }
        }
    }
}

extension ImageLayout {
    /// Brings content into the store if it is what `descriptor` names; false when `goesOn` ended that before.
    ///
    /// `goesOn` is told how many bytes have come.
    @discardableResult
    func copy(
        _ descriptor: Descriptor, from source: any ByteSource, goesOn: (Int64) -> Bool = { _ in true }
    ) throws -> Bool {
        var writer = try BlobWriter(to: self, descriptor.digest.algorithm)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var done: Int64 = 0
        while case let count = try source.read(into: buffer), count > 0 {
            try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += Int64(count)
            guard goesOn(done) else { return false }
        }
        try writer.finish(expecting: descriptor, in: self)
        return true
    }
}
