import Libc

/// A path of this host, as the program's own mount namespace sees it.
package struct HostPath: Hashable, Sendable {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package var isAbsolute: Bool { rawValue.hasPrefix("/") }

    /// The last component; `/` for the root.
    package var lastComponent: String {
        let parts = rawValue.split(separator: "/")
        return parts.last.map(String.init) ?? "/"
    }

    /// The path without its last component.
    package var parent: HostPath {
        guard let slash = rawValue.lastIndex(of: "/") else { return "." }
        return slash == rawValue.startIndex ? "/" : HostPath(String(rawValue[..<slash]))
    }

    package static func / (left: HostPath, right: String) -> HostPath {
        HostPath(left.rawValue.hasSuffix("/") ? left.rawValue + right : left.rawValue + "/" + right)
    }

    /// The path made absolute against the working directory, without `.` and double slashes.
    ///
    /// `..` is kept: what it means depends on symbolic links.
    package var absolute: HostPath {
        var full = rawValue
        if !isAbsolute, let current = getcwd(nil, 0) {
            full = String(cString: current) + "/" + rawValue
            free(current)
        }
        let parts = full.split(separator: "/").filter { $0 != "." }
        return HostPath("/" + parts.joined(separator: "/"))
    }
}

extension HostPath: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension HostPath: CustomStringConvertible {
    package var description: String { Quoted(rawValue).description }
}
