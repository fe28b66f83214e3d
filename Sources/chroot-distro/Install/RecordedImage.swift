import OCI
import Platform
import Store

/// The image that a container was made of, as its `manifest.json` has it.
struct RecordedImage {
    /// The whole file.
    let bytes: [UInt8]
    /// Where it can be had again; `nil` for an image that came out of a file without a name.
    let reference: Reference?
    let platform: ImagePlatform
    let manifest: Manifest
    let config: ImageConfig

    /// The layers, which the image store may have.
    let stack: LayerStack

    var hasEntrypoint: Bool {
        config.config.entrypoint?.isEmpty == false || config.config.command?.isEmpty == false
    }

    /// The very image: its name with the digest of its manifest.
    ///
    /// `nil` where either is not known. A manifest that another program has written anew has another digest.
    var pinned: Reference? {
        guard let reference, let document = JSON.document(in: bytes, member: "manifest"),
            let digest = try? Digest.of(document)
        else { return nil }
        return reference.pinned(to: digest)
    }

    /// Calls `body`; where a layer is missing, the error tells how to get this very image.
    func naming<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch ImageTreeError.missing(let name, let layer) {
            throw ImageTreeError.missing(pinned ?? name, layer)
        }
    }

    private struct File: Decodable {
        let image_ref: String?
        let arch: String?
        let manifest: Manifest?
        let image_config: ImageConfig?
    }

    /// `nil` for a container that was made of a plain archive.
    init?(of container: borrowing Container) throws {
        let name = container.name
        guard try container.directory.statusIfPresent("manifest.json") != nil else { return nil }
        bytes = try container.directory.readFile("manifest.json", limit: ContainerManifest.sizeLimit)
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: bytes) } catch {
            throw StoreError.broken(name, reason: "manifest.json is not valid")
        }
        guard let manifest = file.manifest else { return nil }
        self.manifest = manifest
        config = file.image_config ?? ImageConfig()
        reference = file.image_ref.flatMap { $0.isEmpty ? nil : try? Reference($0) }
        stack = LayerStack(
            of: try reference ?? Reference("localhost/imported"), manifest.layers, config.diffIDs)
        platform = try config.platform ?? file.arch.map { try ImagePlatform($0) } ?? .host
    }
}
