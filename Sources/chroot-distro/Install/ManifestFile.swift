import OCI
import Platform

/// `manifest.json` of a container, as the Python chroot-distro writes and reads it.
enum ManifestFile {
    /// The documents are taken over byte for byte.
    static func bytes(
        reference: String, platform: ImagePlatform, manifest: [UInt8], config: [UInt8]
    ) throws -> [UInt8] {
        func member(_ name: String, _ value: [UInt8]) -> [UInt8] { Array("  \"\(name)\": ".utf8) + value }
        let members = [
            member("image_ref", try string(reference)), member("arch", try string(platform.nativeName)),
            member("manifest", manifest), member("image_config", config),
        ]
        return Array("{\n".utf8) + Array(members.joined(separator: Array(",\n".utf8))) + Array("\n}\n".utf8)
    }

    private static func string(_ text: String) throws -> [UInt8] { try JSONEncoder().encode(text) }
}
