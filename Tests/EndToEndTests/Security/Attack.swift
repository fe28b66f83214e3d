import Libc
import Platform
import TestSupport
import Testing

/// A hostile image or archive, and a file outside that it is after.
struct Attack {
    let program = Program()
    let canary: Canary
    /// A directory beside the store in which nothing may appear.
    let outside: HostPath
    /// A name that this test alone gives to what shall get out.
    let escapee = "escaped-\(UInt64.random(in: 0 ... .max))"

    init() throws {
        outside = Scratch.path / "outside"
        try Run.succeeding("mkdir", [outside.rawValue])
        canary = try Canary(in: outside)
    }

    /// Installs a busybox system with what `hostile` adds, as an image or as a plain archive.
    func install(
        as kind: Source, layers: [[UInt8]] = [], _ hostile: (inout TarBuilder) -> Void
    ) throws -> Run.Outcome {
        switch kind {
        case .image:
            let image = try BusyboxImage.layout(in: Scratch.path, layers: layers, hostile)
            try image.pack(as: Scratch.path / "image.tar")
            return try program.run("install", (Scratch.path / "image.tar").rawValue, "--name", "box")
        case .archive:
            let path = try BusyboxImage.rootfsArchive(in: Scratch.path, hostile)
            return try program.run("install", path.rawValue, "--name", "box")
        }
    }

    enum Source: Sendable, CaseIterable { case image, archive }

    /// Enters, lists and removes whatever was installed: those are the other times a root file system is read.
    func live() throws {
        _ = try program.run("login", "box", "--", "true", timeout: 20)
        _ = try program.run("list", timeout: 20)
        _ = try program.run("remove", "box", timeout: 20)
    }

    /// Expects the canary to be as it was and alone.
    func expectNoEscape(_ sourceLocation: SourceLocation = #_sourceLocation) throws {
        canary.expectAlive(sourceLocation)
        let found = try Run.succeeding("ls", ["-A", outside.rawValue])
        #expect(found == "canary\n", "something escaped: \(found)", sourceLocation: sourceLocation)
        let places = try Run.shell(
            """
            find "$1" -name "$2*" ! -path '*/containers/*/rootfs/*'
            while [ "$1" != / ]; do set -- "$(dirname "$1")" "$2"; ls -d "$1/$2"* 2>/dev/null || :; done
            """, Scratch.path.rawValue, escapee)
        #expect(places.isEmpty, "something escaped: \(places)", sourceLocation: sourceLocation)
    }

    /// Climbs out of the root from `start`, to each of the directories above it and further than to the top.
    static func climbs(from start: String = "") -> [String] {
        (1...12).map { start + String(repeating: "../", count: $0) }
    }
}
