import Testing

/// What each target may import; an arrow that is not here does not exist.
private let layers: [String: Set<String>] = [
    "Libc": ["Glibc", "Android", "Musl"],
    "Platform": [],
    "Archive": ["CZlib", "CLzma", "CZstd", "CBzip2", "CDeflate", "CIsal"],
    "Mounts": ["CLibMount"],
    "Namespaces": ["CSeccomp"],
    "CLI": [],
    "Store": ["Archive"],
    "OCI": ["Archive", "CTransport"],
    "Session": ["Mounts", "Namespaces", "Store"],
    "chroot-distro": [
        "CLI", "Session", "OCI", "Store", "Mounts", "Namespaces", "Archive", "Synchronization",
    ],
]

/// What every target may import.
private let common: Set<String> = ["Platform", "Libc", "CLinux"]

@Suite("The layers")
struct LayerTests {
    private static let sources = SourceFile.all(below: "Sources")

    @Test("are all named in the table")
    func known() {
        let targets = Set(Self.sources.map(\.target))
        #expect(targets.contains("Platform"), "no sources were found")
        #expect(targets == Set(layers.keys))
    }

    @Test("import only what lies below them", arguments: layers.keys.sorted())
    func imports(of layer: String) {
        let allowed = (layers[layer] ?? []).union(layer == "Libc" ? [] : common)
        for file in Self.sources where file.target == layer {
            for module in file.imports {
                #expect(allowed.contains(module), "\(file) imports \(module)")
            }
        }
    }

    @Test("name the C library in one place")
    func libraryOfC() {
        for file in Self.sources where file.target != "Libc" {
            #expect(!file.imports.contains { ["Glibc", "Android", "Musl"].contains($0) }, "\(file)")
        }
    }
}
