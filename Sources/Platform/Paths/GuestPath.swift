/// A path inside a container's root file system.
///
/// It cannot be opened: only a `Rootfs` resolves it, and never outside itself. It is kept as components, without
/// empty ones and `.`; `..` stays, since only resolution knows what it means.
package struct GuestPath: Hashable, Sendable {
    package let components: [RawString]

    /// A component that is empty, `.` or has a slash in it is taken for the path that it spells.
    package init(components: [RawString]) {
        let slash = UInt8(ascii: "/")
        guard components.contains(where: { $0.bytes.isEmpty || $0 == "." || $0.bytes.contains(slash) }) else {
            self.components = components
            return
        }
        self.components = components.flatMap { GuestPath($0).components }
    }

    package init(_ path: RawString) {
        let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
        var components: [RawString] = []
        var start = 0
        for index in 0...path.bytes.count where index == path.bytes.count || path.bytes[index] == slash {
            let isNothing = index == start || index == start + 1 && path.bytes[start] == dot
            if !isNothing { components.append(RawString(withoutZeros: Array(path.bytes[start..<index]))) }
            start = index + 1
        }
        self.components = components
    }

    package init(_ path: String) { self.init(RawString(path)) }

    package static let root = GuestPath(components: [])

    package var parent: GuestPath { GuestPath(components: Array(components.dropLast())) }
    package var lastComponent: RawString? { components.last }
    /// Whether a component is `..`.
    package var climbs: Bool { components.contains("..") }

    package func appending(_ name: RawString) -> GuestPath { GuestPath(components: components + [name]) }

    /// Whether it is `other` or lies below it, by its text.
    package func isWithin(_ other: GuestPath) -> Bool { components.starts(with: other.components) }

    /// The bytes from the root, with a leading slash.
    package var absolute: RawString {
        guard !components.isEmpty else { return "/" }
        var bytes: [UInt8] = []
        for component in components {
            bytes.append(UInt8(ascii: "/"))
            bytes += component.bytes
        }
        return RawString(bytes: bytes) ?? "/"
    }

    /// The bytes without a leading slash, as the `*at` calls take them; `.` for the root.
    package var relative: RawString {
        guard !components.isEmpty else { return "." }
        return RawString(bytes: absolute.bytes.dropFirst()) ?? "."
    }
}

extension GuestPath: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension GuestPath: CustomStringConvertible {
    package var description: String { absolute.description }
}
