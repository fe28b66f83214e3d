import Archive
import Platform

/// One difference between a tree and the image that it was made of.
package struct TreeChange: Sendable {
    /// What has happened to it.
    package enum Kind: String, Sendable { case added, changed, deleted }

    /// What of a file is not as the image has it.
    package struct Aspects: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let type = Aspects(rawValue: 1)
        /// Data, link target or device number.
        package static let content = Aspects(rawValue: 2)
        package static let permissions = Aspects(rawValue: 4)
        package static let owner = Aspects(rawValue: 8)
        /// The time of the last modification.
        package static let time = Aspects(rawValue: 16)
        package static let attributes = Aspects(rawValue: 32)
        /// Which other names the file has.
        package static let links = Aspects(rawValue: 64)
        /// What a directory has in it, where the image does not say when that was last changed.
        package static let names = Aspects(rawValue: 128)

        private static let words: [(Aspects, String)] = [
            (.type, "type"), (.content, "content"), (.permissions, "permissions"), (.owner, "owner"),
            (.time, "time"), (.attributes, "attributes"), (.links, "links"), (.names, "names"),
        ]

        /// A word for each.
        package var words: [String] { Self.words.filter { contains($0.0) }.map(\.1) }
    }

    /// From the root of the tree, without a slash in front; `.` is the root itself.
    package let path: RawString
    package let kind: Kind
    /// What is there now, or what was there when it is deleted.
    package let file: FileStatus.Kind
    /// Bytes of a regular file.
    package let size: Int64
    /// Of what is changed.
    package internal(set) var aspects: Aspects = []
    /// Whether it is deleted with everything else that the image has in its directory, which is still there.
    package internal(set) var isOfEmptied = false

    /// Orders paths as a tree is walked: a directory before what is in it, names by their bytes.
    package static func isInOrder(_ left: RawString, _ right: RawString) -> Bool {
        key(left).lexicographicallyPrecedes(key(right))
    }

    private static func key(_ path: RawString) -> some Sequence<UInt8> {
        // The root is before everything, and a slash before any byte that a name can have.
        (path == "." ? [] : path.bytes).lazy.map { $0 == UInt8(ascii: "/") ? 0 : $0 }
    }
}
