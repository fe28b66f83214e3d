import Archive
import CLinux
import Libc
import Platform

/// Writes what was changed in a tree as a layer (OCI image specification, layer.md).
///
/// What was deleted becomes a whiteout, a directory of which nothing is left one opaque mark; names of one file are
/// links. Holes are zeros: how much of a file is one is the file system's choice, and other programs cannot make such an
/// archive anew. Only a file with more of them than anybody wants to read is written as a sparse one. Entries come in the order of the tree, so that equal changes make equal bytes.
package final class LayerWriter {
    /// What became of the changes.
    package struct Report: Hashable, Sendable {
        package var entries = 0
        package var whiteouts = 0
        /// No archive has sockets.
        package var sockets: [RawString] = []
        /// What was written to while it was read.
        package var changing: [RawString] = []
        /// What went away before it was read.
        package var vanished: [RawString] = []

        package init() {}
    }

    private let reader: TreeReader
    /// Seconds since the epoch.
    private let latest: Int64?
    /// What is to be written; what has been is taken out.
    private var wanted: Set<RawString> = []
    /// The last one is the next.
    private var whiteouts: [(place: RawString, name: RawString)] = []
    private var links: [FileIdentity: RawString] = [:]
    private let omissions: Omissions
    private var report = Report()

    private final class Omissions { var list: [(path: RawString, omission: TreeReader.Omission)] = [] }

    /// Gets ready to write `changes` of the tree in `directory`; no time is to be later than `latest`.
    ///
    /// Throws `ReservedName` for a name that means something else in a layer.
    package init(
        _ changes: [TreeChange], of directory: consuming Directory, latest: Int64? = nil
    ) throws {
        self.latest = latest
        var options = TreeReader.Options()
        options.readsAttributes = false
        options.readsContent = false
        options.groupsLinks = false
        let omissions = Omissions()
        self.omissions = omissions
        reader = try TreeReader(directory, options) { omissions.list.append(($0, $1)) }
        for change in changes { try add(change) }
        whiteouts.sort { TreeChange.isInOrder($1.place, $0.place) }
    }

    private func add(_ change: TreeChange) throws {
        let path = GuestPath(change.path)
        if change.kind == .deleted {
            let opaque = path.parent.appending(Whiteout.opaque).relative
            guard change.isOfEmptied else {
                let name = path.lastComponent.flatMap(Whiteout.name(hiding:)) ?? ""
                return whiteouts.append((change.path, path.parent.appending(name).relative))
            }
            // In front of everything else in the directory: not every reader spares what came before the mark.
            if whiteouts.last?.name != opaque {
                whiteouts.append((Self.place(in: path.parent), opaque))
            }
        } else if change.file == .socket {
            report.sockets.append(change.path)
        } else if let name = path.lastComponent, Whiteout(name) != nil {
            throw ReservedName(path: change.path)
        } else {
            wanted.insert(change.path)
        }
    }

    /// Behind the directory, before what is in it.
    private static func place(in directory: GuestPath) -> RawString {
        directory.components.isEmpty
            ? "." : RawString(bytes: directory.relative.bytes + [UInt8(ascii: "/")]) ?? "."
    }

    /// Writes the entries; the archive is the caller's to end.
    package func write(to writer: TarWriter) throws -> Report {
        while let entry = try reader.next() {
            guard wanted.contains(entry.path) else { continue }
            try writeWhiteouts(before: entry.path, to: writer)
            guard let whole = try reader.complete(entry) else { continue }
            wanted.remove(entry.path)
            try write(whole, to: writer)
        }
        try writeWhiteouts(before: nil, to: writer)
        for case (let path, .unreadable(let error)) in omissions.list where wanted.contains(path) {
            throw UnreadableFile(path: path, error: error)
        }
        report.vanished += wanted
        report.changing = omissions.list.compactMap { $0.omission == .changed ? $0.path : nil }
        return report
    }

    private func write(_ entry: TarEntry, to writer: TarWriter) throws {
        var entry = entry
        entry.modified = earlier(entry.modified)
        if reader.status.links > 1, entry.kind != .directory {
            if let first = links[FileIdentity(reader.status)] {
                entry.kind = .hardLink
                (entry.linkTarget, entry.size, entry.stored, entry.attributes) = (first, 0, nil, [])
            } else {
                links[FileIdentity(reader.status)] = entry.path
            }
        }
        if let stored = entry.stored, Self.holes(in: entry.size, around: stored) < Self.hugeHoles {
            entry.stored = nil
            reader.select(nil)
        }
        entry.attributes.sort { $0.name < $1.name }
        if entry.path == "." { entry.path = "./" }
        try writer.append(entry, from: reader)
        report.entries += 1
    }

    /// Bytes of holes.
    private static let hugeHoles: Int64 = 1 << 30

    private static func holes(in size: Int64, around stored: [SparseExtent]) -> Int64 {
        size - stored.reduce(0) { $0 + $1.length }
    }

    private func writeWhiteouts(before path: RawString?, to writer: TarWriter) throws {
        while let next = whiteouts.last {
            if let path, !TreeChange.isInOrder(next.place, path) { return }
            whiteouts.removeLast()
            try writer.append(TarEntry(.regular, next.name, permissions: 0o644))
            report.whiteouts += 1
        }
    }

    private func earlier(_ time: timespec) -> timespec {
        guard let latest, Int64(time.tv_sec) >= latest else { return time }
        return timespec(tv_sec: Int(latest), tv_nsec: 0)
    }
}

/// A file whose name would hide another one in every layer.
package struct ReservedName: UserFacing, Hashable {
    package let path: RawString

    package var message: String {
        "\(path) cannot be in an image: names that begin with .wh. hide others there"
    }
    package var hint: String? { "Rename or delete it in the container first." }
}

/// A file that was changed and cannot be read: without it the image would have the one of the layers below.
package struct UnreadableFile: UserFacing, Hashable {
    package let path: RawString
    package let error: SystemError

    package init(path: RawString, error: SystemError) {
        self.path = path
        self.error = error
    }

    package var message: String { "\(path) cannot be read: \(error.reason)" }
    package var hint: String? { "Remove it from the container, or mend its disk, first." }
}
