import Platform

/// How the names of an archive become paths in the root.
package struct MemberRules: Sendable {
    /// Whether `.wh.` names hide what lower layers have (OCI image specification, layer.md, "Whiteouts").
    package let hasWhiteouts: Bool
    /// The directory of the archive that becomes the root; everything outside is left out.
    package let prefix: GuestPath

    /// A layer of an image.
    package static let layer = MemberRules(hasWhiteouts: true, prefix: .root)

    /// An ordinary archive whose root is `prefix`.
    package static func plain(prefix: GuestPath = .root) -> MemberRules {
        MemberRules(hasWhiteouts: false, prefix: prefix)
    }

    /// Where a name of the archive leads, or `nil` when it is outside the prefix.
    func place(of name: RawString) -> GuestPath? {
        let path = GuestPath(name).clamped
        guard !prefix.components.isEmpty else { return path }
        guard path.isWithin(prefix) else { return nil }
        return GuestPath(components: Array(path.components.dropFirst(prefix.components.count)))
    }
}

extension GuestPath {
    /// The path with `..` resolved by its text and stopped at the root.
    ///
    /// A member's name is text, not a walk through links: `a/../b` is `b` even where `a` is a link elsewhere.
    package var clamped: GuestPath {
        guard climbs else { return self }
        var result: [RawString] = []
        for component in components {
            if component == ".." { _ = result.popLast() } else { result.append(component) }
        }
        return GuestPath(components: result)
    }
}
