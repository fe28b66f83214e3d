import FoundationEssentials
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
        do { file = try JSONDecoder().decode(File.self, from: Data(bytes)) } catch {
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
