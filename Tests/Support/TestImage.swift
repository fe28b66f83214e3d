import Libc
import Platform

/// An image made of layers that a test wrote byte by byte, as an OCI image layout on disk.
package struct TestImage {
    /// The directory of the layout.
    package let layout: HostPath

    /// Writes a layout whose image is tagged `tag` and has these layers, the lowest first, each an uncompressed
    /// archive that is stored as gzip.
    ///
    /// `configuration` is JSON for the `config` member, such as `{"Cmd":["/bin/sh"]}`.
    package init(
        at layout: HostPath, layers: [[UInt8]], configuration: String = #"{"Cmd":["/bin/sh"]}"#,
        tag: String = "latest"
    ) throws {
        self.layout = layout
        let blobs = layout / "blobs/sha256"
        try Run.succeeding("mkdir", ["-p", blobs.rawValue])
        var descriptors: [String] = []
        var differences: [String] = []
        for layer in layers {
            differences.append(#""sha256:\#(try Self.digest(of: layer))""#)
            let packed = try Run.program("gzip", ["-1", "-n"], input: layer).output
            descriptors.append(try Self.add(packed, "image.layer.v1.tar+gzip", to: blobs))
        }
        let machine = try Run.succeeding("uname", ["-m"]).dropLast()
        let architecture = ["x86_64": "amd64", "aarch64": "arm64"][String(machine)] ?? String(machine)
        let config = """
            {"architecture":"\(architecture)","os":"linux","config":\(configuration),\
            "rootfs":{"type":"layers","diff_ids":[\(differences.joined(separator: ","))]}}
            """
        let manifest = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "config":\(try Self.add(Array(config.utf8), "image.config.v1+json", to: blobs)),\
            "layers":[\(descriptors.joined(separator: ","))]}
            """
        let entry = try Self.add(Array(manifest.utf8), "image.manifest.v1+json", to: blobs)
        let name = #","annotations":{"org.opencontainers.image.ref.name":"\#(tag)"}}"#
        try Self.write(
            #"{"schemaVersion":2,"manifests":[\#(entry.dropLast())\#(name)]}"#, to: layout / "index.json")
        try Self.write(#"{"imageLayoutVersion":"1.0.0"}"#, to: layout / "oci-layout")
    }

    /// Packs the layout as one archive, as `skopeo copy … oci-archive:` does.
    package func pack(as path: HostPath) throws {
        try Run.succeeding(
            "tar", ["-C", layout.rawValue, "-cf", path.rawValue, "oci-layout", "index.json", "blobs"])
    }

    /// Stores a blob under its digest; its descriptor as JSON.
    private static func add(_ bytes: [UInt8], _ type: String, to blobs: HostPath) throws -> String {
        let digest = try digest(of: bytes)
        try write(bytes, to: blobs / digest)
        return """
            {"mediaType":"application/vnd.oci.\(type)","digest":"sha256:\(digest)","size":\(bytes.count)}
            """
    }

    package static func digest(of bytes: [UInt8]) throws -> String {
        String(try Run.succeeding("sha256sum", [], input: bytes).prefix(64))
    }

    /// Writes a file of the host.
    package static func write(_ bytes: [UInt8], to path: HostPath) throws {
        let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try file.writeAll(bytes)
        try file.close()
    }

    package static func write(_ text: String, to path: HostPath) throws {
        try write(Array(text.utf8), to: path)
    }
}
