import Archive
import Platform

/// Writes images into an archive that docker, podman, skopeo and this program read.
package struct ImageArchive {
    /// What the archive looks like.
    package enum Form: String, CaseIterable, Sendable {
        /// An OCI image layout; images may be for several platforms.
        case oci
        /// What `docker save` writes: `manifest.json` and the content, one platform for each image.
        case docker
    }

    /// An image and the names that it has in the archive: full references.
    package struct Item: Sendable {
        package let shipment: Shipment
        package var names: [String]

        package init(_ shipment: Shipment, names: [String]) {
            self.shipment = shipment
            self.names = names
        }
    }

    private let form: Form
    private let items: [Item]

    /// Items that are the same image become one with the names of all.
    package init(_ form: Form, _ items: [Item]) {
        self.form = form
        var merged: [Item] = []
        for item in items {
            if let index = merged.firstIndex(where: { $0.shipment.top.digest == item.shipment.top.digest }) {
                merged[index].names += item.names.filter { !merged[index].names.contains($0) }
            } else {
                merged.append(item)
            }
        }
        self.items = merged
    }

    /// Writes all of it; blobs are verified on their way.
    ///
    /// When this throws, what was written is good for nothing. `progress` is told a blob, and how many bytes of it are
    /// written.
    package func write(
        from store: borrowing ImageLayout, to sink: any ByteSink,
        progress: (Descriptor, Int64) -> Void = { _, _ in }
    ) throws {
        let tar = TarWriter(sink)
        var seen: Set<Digest> = []
        switch form {
        case .oci:
            try add("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), to: tar)
            try add("index.json", JSON.encode(index), to: tar)
        case .docker: try add("manifest.json", dockerList(), to: tar)
        }
        for item in items {
            for blob in item.shipment.blobs where seen.insert(blob.digest).inserted {
                try copy(blob, from: store, to: tar, progress)
            }
            guard form == .oci else { continue }
            for document in item.shipment.documents where seen.insert(document.descriptor.digest).inserted {
                try add(Self.path(document.descriptor.digest), document.bytes, to: tar)
            }
        }
        try tar.finish()
    }

    private static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm)/\(digest.hex)" }

    /// Each name has an entry of its own.
    private var index: ImageIndex {
        var entries: [Descriptor] = []
        for item in items {
            for name in item.names {
                var entry = item.shipment.top
                entry.annotations = [Descriptor.referenceNameKey: name, Descriptor.imageNameKey: name]
                entries.append(entry)
            }
            if item.names.isEmpty { entries.append(item.shipment.top) }
        }
        return ImageIndex(manifests: entries)
    }

    /// Readers of this form want compressed and plain layers alike, and tell them apart by themselves.
    private func dockerList() throws -> [UInt8] {
        struct Entry: Encodable {
            let Config: String
            let RepoTags: [String]
            let Layers: [String]
        }
        var entries: [Entry] = []
        for item in items {
            guard let document = item.shipment.documents.last, item.shipment.documents.count == 1 else {
                throw DocumentError.wrongKind(
                    item.names.first ?? "", mediaType: item.shipment.top.mediaType.rawValue)
            }
            let manifest = try JSON.decode(Manifest.self, from: document.bytes, name: item.names.first ?? "")
            entries.append(
                Entry(
                    Config: Self.path(manifest.config.digest),
                    RepoTags: item.names.map { StoredImage.familiar($0) },
                    Layers: manifest.layers.map { Self.path($0.digest) }))
        }
        return try JSON.encode(entries)
    }

    private static func entry(_ path: String, size: Int64) -> TarEntry {
        var entry = TarEntry(.regular, RawString(path), permissions: 0o644)
        entry.size = size
        return entry
    }

    private func add(_ path: String, _ bytes: [UInt8], to tar: TarWriter) throws {
        try tar.append(Self.entry(path, size: Int64(bytes.count)))
        try tar.write(bytes)
    }

    private func copy(
        _ blob: Descriptor, from store: borrowing ImageLayout, to tar: TarWriter,
        _ progress: (Descriptor, Int64) -> Void
    ) throws {
        var reader = try VerifiedReader(store.open(blob), for: blob)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        try tar.append(Self.entry(Self.path(blob.digest), size: blob.size))
        var done: Int64 = 0
        while case let count = try reader.read(into: buffer), count > 0 {
            try tar.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += Int64(count)
            progress(blob, done)
        }
    }
}
