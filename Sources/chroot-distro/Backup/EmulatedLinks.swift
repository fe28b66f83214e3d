import Archive
import OCI
import Platform

/// The hard links that proot emulates where there are none (`--link2symlink`), to be made real.
///
/// Each name of such a file is a symbolic link to `.l2s.NAME0001`, which is one to `.l2s.NAME0001.0002`: the file
/// itself, with the number of its names at the end. They are paths of the host on which they were made, in the root
/// file system's `.l2s` directory or beside the names; some builds write `.proot.l2s.`.
struct EmulatedLinks {
    /// What the links say, by their paths.
    private var targets: [GuestPath: RawString] = [:]

    /// Takes note of an entry that has been written.
    mutating func note(_ entry: TarEntry, at path: GuestPath) {
        guard entry.kind == .symbolicLink, let name = GuestPath(entry.linkTarget).lastComponent,
            Self.isBacking(name)
        else { return }
        targets[path] = entry.linkTarget
    }

    private static let prefixes = [".l2s.", ".proot.l2s."].map { Array($0.utf8) }

    private static func isBacking(_ name: RawString) -> Bool {
        prefixes.contains { name.bytes.starts(with: $0) }
    }

    /// Makes hard links of all that were noted, and takes away what stood in for them; how many names could not be.
    func makeReal(with writer: TreeWriter) throws -> Int {
        var backing: Set<GuestPath> = []
        var broken: Set<GuestPath> = []
        var failures = 0
        for (path, target) in targets.sorted(by: { $0.key.absolute < $1.key.absolute }) {
            guard let name = path.lastComponent, !Self.isBacking(name) else { continue }
            let step = place(of: target, from: path)
            let file = targets[step].map { place(of: $0, from: step) } ?? step
            var entry = TarEntry(.hardLink, path.relative, permissions: 0)
            entry.linkTarget = file.relative
            do {
                try writer.write(entry, at: path, link: .init(file), from: NoData())
                backing.formUnion([step, file])
            } catch is TreeError {
                broken.formUnion([step, file])
                failures += 1
            }
        }
        for path in backing.subtracting(broken) { try writer.remove(path) }
        for folder in Set(backing.map(\.parent)) where folder.lastComponent == ".l2s" {
            try writer.removeIfEmpty(folder)
        }
        return failures
    }

    /// Where a link leads in the tree, which now lies elsewhere.
    private func place(of target: RawString, from path: GuestPath) -> GuestPath {
        guard target.bytes.first == UInt8(ascii: "/") else {
            return GuestPath(components: path.parent.components + GuestPath(target).components).clamped
        }
        let parts = GuestPath(target).clamped.components
        if let start = parts.lastIndex(of: "installed-rootfs"), start + 2 < parts.count {
            return GuestPath(components: Array(parts[(start + 2)...]))
        }
        if let start = parts.lastIndex(of: "containers"), start + 3 < parts.count,
            parts[start + 2] == "rootfs"
        {
            return GuestPath(components: Array(parts[(start + 3)...]))
        }
        return GuestPath(components: parts)
    }

    private final class NoData: EntrySource {
        func next() -> TarEntry? { nil }
        func nextStretch() -> TarStretch? { nil }
    }
}
