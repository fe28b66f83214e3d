import Libc
import Platform
import TestSupport
import Testing

/// The program with an image in its store.
struct ImageRig {
    let program = Program()

    /// The busybox image as `box:1`, with layers of its own over it.
    init(layers: [[UInt8]] = [], configuration: String = #"{"Cmd":["/bin/sh"]}"#) throws {
        let image = try BusyboxImage.layout(in: Scratch.path, layers: layers, configuration: configuration)
        try image.pack(as: archive)
        try program.succeed("image", "load", archive.rawValue, "--name", "box:1")
    }

    var archive: HostPath { Scratch.path / "box.tar" }

    func path(_ name: String) -> String { (Scratch.path / name).rawValue }

    /// The digest of the manifest that a name stands for.
    func digest(_ name: String) throws -> String {
        let listed = try program.succeed("image", "ls", "--json").stdout
        return try Run.succeeding(
            "python3",
            [
                "-c",
                "import json,sys; print([i['digest'] for i in json.loads(sys.argv[1])['images'] if i['reference']==sys.argv[2]][0])",
                listed, name,
            ]
        ).trimmed
    }

    /// What `skopeo inspect` says.
    func inspect(_ image: String, _ format: String = "{{.Digest}}") throws -> String {
        try Run.succeeding("skopeo", ["inspect", "--tls-verify=false", "--format", format, image]).trimmed
    }

    /// A layer of bytes that do not compress.
    static func noise(_ megabytes: Int) -> [UInt8] {
        var tar = TarBuilder()
        tar.add("srv/noise", content: (0..<(megabytes << 20)).map { _ in UInt8.random(in: 0 ... .max) })
        return tar.archive
    }

    /// Expects every blob of the store to be what its name says, and the store to be readable.
    func blobsAreWhole() throws -> Bool {
        try Run.shell(
            """
            cd "$1/cache/chroot-distro/blobs/sha256" 2>/dev/null || exit 0
            for blob in *; do [ "$blob" = '*' ] || echo "$blob  $blob"; done | sha256sum --check --quiet 2>&1 || true
            """, Scratch.path.rawValue
        ).isEmpty
    }
}

extension String {
    /// Without the line end.
    var trimmed: String { hasSuffix("\n") ? String(dropLast()) : self }
}
