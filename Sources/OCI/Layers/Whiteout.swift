import Platform

/// A name by which a layer hides what the layers below have (OCI image specification, layer.md, "Whiteouts").
enum Whiteout: Equatable {
    /// `.wh.NAME` hides its sibling.
    case hides(RawString)
    /// `.wh..wh..opq` hides everything that lower layers have in its directory.
    case hidesAll
    /// Bookkeeping of aufs, and remainders that are no name: `.wh.`, `.wh..`, `.wh...`.
    case meaningless

    private static let mark = Array(".wh.".utf8)
    static let opaque: RawString = ".wh..wh..opq"
    private static let bookkeeping = Array(".wh..wh.".utf8)

    /// The name by which `name` is hidden.
    static func name(hiding name: RawString) -> RawString? { RawString(bytes: mark + name.bytes) }

    /// `nil` for an ordinary name.
    init?(_ name: RawString) {
        guard name.bytes.starts(with: Self.mark) else { return nil }
        if name == Self.opaque {
            self = .hidesAll
        } else if name.bytes.starts(with: Self.bookkeeping) {
            self = .meaningless
        } else {
            let rest = RawString(bytes: name.bytes.dropFirst(Self.mark.count)) ?? ""
            self = rest == "" || rest == "." || rest == ".." ? .meaningless : .hides(rest)
        }
    }
}
