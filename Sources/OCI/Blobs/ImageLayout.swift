import Libc
import Platform

/// The image store: a directory in the standard OCI image layout (OCI image specification, image-layout.md).
///
/// Beside `oci-layout`, `index.json` and `blobs/` it has `ingest/`, where content lies until it is whole and
/// verified, and two lock files. Only its owner can look into the content, which may be that of a private image.
package struct ImageLayout: ~Copyable, Sendable {
    package let root: Directory
    let blobs: Directory
    let ingest: Directory
    /// Content that somebody needs although no name leads to it.
    let needed: Needed

    /// Tells content that stays although no name leads to it; asked before anything is removed.
    package typealias Needed = @Sendable () throws -> Set<Digest>

    init(
        _ root: consuming Directory, _ blobs: consuming Directory, _ ingest: consuming Directory,
        keeping needed: @escaping Needed
    ) {
        self.root = root
        self.blobs = blobs
        self.ingest = ingest
        self.needed = needed
    }

    /// Opens the store in `root`; what is missing of it is made.
    package static func open(
        _ root: consuming Directory, keeping needed: @escaping Needed = { [] }
    ) throws -> ImageLayout {
        let blobs = try openPrivate("blobs", in: root)
        let ingest = try openPrivate("ingest", in: root)
        if try root.statusIfPresent("oci-layout") == nil {
            try root.replaceFile("oci-layout", with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        }
        let marker = try root.readFile("oci-layout", limit: 4096)
        try checkVersion(marker)
        return ImageLayout(root, blobs, ingest, keeping: needed)
    }

    /// A directory for the owner alone, also when it is there already and others may look into it.
    private static func openPrivate(_ name: RawString, in root: borrowing Directory) throws -> Directory {
        let directory = try root.openOrMakeDirectory(name, mode: 0o700)
        if try directory.status().permissions & 0o077 != 0 {
            try syscall("fchmod", name.description) { fchmod(directory.raw, 0o700) }
        }
        return directory
    }

    /// Whether this is a version of the layout that is understood here.
    static func checkVersion(_ bytes: [UInt8]) throws {
        struct Marker: Decodable { var imageLayoutVersion: String }
        let marker = try JSON.decode(Marker.self, from: bytes, name: "oci-layout")
        guard marker.imageLayoutVersion.hasPrefix("1.") else {
            throw BlobError.notALayout("its version is \(Quoted(marker.imageLayoutVersion))")
        }
    }

    /// The same store through descriptors of its own, for another thread.
    func duplicate() throws(SystemError) -> ImageLayout {
        ImageLayout(
            try root.duplicate(), try blobs.duplicate(), try ingest.duplicate(), keeping: needed)
    }

    // MARK: - Names

    /// Every image that has a name here.
    package func index() throws -> ImageIndex {
        do {
            return try JSON.decode(
                ImageIndex.self, from: root.readFile("index.json", limit: documentLimit), name: "index.json")
        } catch let error as SystemError where error.code == ENOENT {
            return ImageIndex(manifests: [])
        }
    }

    /// What `reference` names here: a manifest, or an index with one manifest per platform.
    ///
    /// The name is the whole reference, such as `docker.io/library/alpine:3.20`, so that names never meet.
    package func find(_ reference: Reference) throws -> Descriptor? {
        try index().manifests.first { $0.referenceName == reference.description }
    }

    /// Gives `reference` to `descriptor`, and takes it from what had it before.
    package func tag(_ reference: Reference, as descriptor: Descriptor) throws {
        try tag([(reference, descriptor)])
    }

    /// Gives each name to its image, all of them or none, and takes it from what had it before.
    ///
    /// `check` sees what the names stood for, which nobody changes meanwhile.
    func tag(
        _ names: [(reference: Reference, top: Descriptor)],
        after check: (ImageIndex) throws -> Void = { _ in }
    ) throws {
        try changeIndex { index in
            try check(index)
            for (reference, top) in names {
                var named = top
                named.annotations = (top.annotations ?? [:])
                named.annotations?[Descriptor.referenceNameKey] = reference.description
                if index.manifests.contains(named) { continue }
                index.manifests.removeAll { $0.referenceName == reference.description }
                index.manifests.append(named)
            }
        }
    }

    /// Takes the names of `unwanted` entries away.
    ///
    /// The content stays until garbage is collected.
    func untag(_ unwanted: (Descriptor) -> Bool) throws {
        try changeIndex { $0.manifests.removeAll(where: unwanted) }
    }

    /// Reads, changes and replaces `index.json` while no other process does; it is written when something changes.
    private func changeIndex(_ change: (inout ImageIndex) throws -> Void) throws {
        let lock = try FileLock(ingest, "index.lock", .exclusive, wait: true)
        let before = try index()
        var index = before
        try change(&index)
        if index != before { try root.replaceFile("index.json", with: JSON.encode(index)) }
        _ = consume lock  // It was needed up to here.
    }

    /// Says that content is being taken from the store or put into it: until the lock goes, nothing is removed.
    package func beginUse() throws -> FileLock { try FileLock(ingest, "use.lock", .shared, wait: true) }
}
