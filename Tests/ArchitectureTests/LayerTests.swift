import Testing

/// What each target may import; an arrow that is not here does not exist.
private let layers: [String: Set<String>] = [
    "Libc": ["Glibc", "Android", "Musl"],
    "Platform": [],
    "Archive": ["CZlib", "CLzma", "CZstd", "CBzip2", "CDeflate", "CIsal"],
    "Mounts": ["CLibMount"],
    "Namespaces": ["CSeccomp"],
    "CLI": [],
    "Display": ["Mounts"],
    "Store": ["Archive"],
    "OCI": ["Archive", "CTransport"],
    "Session": ["Mounts", "Namespaces", "Display", "Store"],
    "Build": ["OCI", "Session", "Store", "Archive"],
    "chroot-distro": [
        "CLI", "Build", "Session", "OCI", "Store", "Display", "Mounts", "Namespaces", "Archive",
        "Synchronization",
    ],
]

/// What every target may import.
private let common: Set<String> = ["Platform", "Libc", "CLinux"]

/// The only targets in which documents are coded.
private let codingTargets: Set<String> = [
    "OCI", "Store", "CLI", "Session", "Build", "Platform", "chroot-distro",
]

@Suite("The layers")
struct LayerTests {
    private static let sources = SourceFile.all(below: "Sources")

    @Test("are all named in the table")
    func known() {
        let targets = Set(Self.sources.map(\.target))
        #expect(targets.contains("Platform"), "no sources were found")
        #expect(targets.subtracting(layers.keys).isEmpty)
    }

    @Test("import only what lies below them", arguments: layers.keys.sorted())
    func imports(of layer: String) {
        let allowed = (layers[layer] ?? []).union(layer == "Libc" ? [] : common)
        for file in Self.sources where file.target == layer {
            for module in file.imports where module != "FoundationEssentials" {
                #expect(allowed.contains(module), "\(file) imports \(module)")
            }
        }
    }

    @Test("code documents with FoundationEssentials, and only those that have documents")
    func foundation() {
        for file in Self.sources where file.imports.contains("FoundationEssentials") {
            #expect(codingTargets.contains(file.target), "\(file)")
            let isUsed = file.lines.contains { line in
                ["Codable", "JSON", "Encodable", "Decodable"].contains { line.contains($0) }
            }
            #expect(isUsed, "\(file) imports FoundationEssentials and codes nothing")
        }
    }

    @Test("name the C library in one place")
    func libraryOfC() {
        for file in Self.sources where file.target != "Libc" {
            #expect(!file.imports.contains { ["Glibc", "Android", "Musl"].contains($0) }, "\(file)")
        }
    }
}
