import Archive
import Libc
import Platform

/// Unpacks layers and archives into a root.
///
/// A path of the archive never leaves the root: see `TreeWriter`, which does the work. What is added here is what an
/// archive's names mean, and the whiteouts of layers.
package final class LayerApplier {
    private let writer: TreeWriter
    /// What the layers make, for those who compare the root with them later; `nil` when it is not recorded.
    private var recorded: ImageTree?
    private var members: [LayerMember] = []
    /// Bytes of memory that the record may take, as far as that can be told; a layer may be of any size.
    private let recordLimit: Int
    private var recordSize = 0

    /// `directory` is the root to fill; it must be empty or hold the layers below.
    package init(_ directory: consuming Directory) throws(SystemError) {
        writer = try TreeWriter(directory)
        recordLimit = 24 << 20
    }

    /// For tests: with `hasOpenat2` false, links are followed by a walk over the components; `ledgerLimit` is the
    /// memory for what directories are to become, `recordLimit` that for the record.
    init(
        _ directory: consuming Directory, hasOpenat2: Bool, ledgerLimit: Int = 32 << 20,
        recordLimit: Int = 24 << 20
    ) throws(SystemError) {
        self.recordLimit = recordLimit
        writer = try TreeWriter(directory, hasOpenat2: hasOpenat2, ledgerLimit: ledgerLimit)
    }

    /// Applies all that `reader` still has.
    ///
    /// Members outside the prefix of `rules` are handed to `outside`, which may read their data. After an error the
    /// root is half done and good for nothing.
    package func apply(
        _ reader: TarReader, _ rules: MemberRules = .layer,
        outside: (TarEntry, TarReader) throws -> Void = { _, _ in }
    ) throws -> TreeReport {
        try writer.begin(remembering: rules.hasWhiteouts)
        while let entry = try reader.next() {
            guard let path = rules.place(of: entry.path) else {
                try outside(entry, reader)
                continue
            }
            if rules.hasWhiteouts { note(entry, at: path) }
            if rules.hasWhiteouts, let name = path.lastComponent, let whiteout = Whiteout(name) {
                try apply(whiteout, in: path.parent, for: entry.path)
            } else {
                let target = entry.kind == .hardLink ? rules.place(of: entry.linkTarget) : nil
                try writer.write(
                    entry, at: path, link: target.map { TreeWriter.LinkTarget($0) }, from: reader)
            }
        }
        endLayer()
        return try writer.finish()
    }

    // MARK: - Recording

    /// Records from now on what the layers make: only before the first one.
    package func record() { recorded = ImageTree() }

    /// The tree of all layers, as `ImageTree.encoded` has it; `nil` where it was not recorded.
    package func encodedTree(key: [UInt8]) throws -> [UInt8]? { try recorded?.encoded(key: key) }

    private func note(_ entry: TarEntry, at path: GuestPath) {
        guard recorded != nil else { return }
        recordSize += 256 + entry.path.bytes.count + entry.linkTarget.bytes.count
        for attribute in entry.attributes { recordSize += attribute.name.bytes.count + attribute.value.count }
        recordSize += 16 * (entry.stored?.count ?? 0)
        guard recordSize <= recordLimit else { return giveUp() }
        members.append(LayerMember(describing: entry, at: path))
    }

    private func endLayer() {
        guard var tree = recorded.take() else { return }
        do {
            try tree.apply(members)
            recorded = tree
        } catch {
            // What makes no tree is refused by whoever writes it, too.
        }
        members = []
    }

    private func giveUp() {
        recorded = nil
        members = []
    }

    private func apply(_ whiteout: Whiteout, in parent: GuestPath, for member: RawString) throws {
        switch whiteout {
        case .hides(let name): try writer.removeEarlier(name, in: parent, for: member)
        case .hidesAll: try writer.removeEverythingEarlier(in: parent, for: member)
        case .meaningless: break
        }
    }
}
