/// An absolute `http` or `https` URL, taken apart as far as trust needs it.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
    /// Who is asked: scheme, host and port.
    package struct Origin: Hashable, Sendable {
        package let isSecure: Bool
        /// Lower-case; brackets around an IPv6 address stay.
        package let host: String
        package let port: Int

        /// Host, and the port where it is not the scheme's own: what an error names.
        package var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }
    }

    package let description: String
    package let origin: Origin

    /// `nil` when it is another kind of URL, or holds a user or characters that no URL has.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), let mark = text.firstIndex(of: ":") else {
            return nil
        }
        let scheme = text[..<mark].lowercased()
        guard scheme == "http" || scheme == "https", text[mark...].hasPrefix("://") else { return nil }
        let rest = text[text.index(mark, offsetBy: 3)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@"), let place = Self.split(authority) else { return nil }
        let isSecure = scheme == "https"
        origin = Origin(isSecure: isSecure, host: place.host, port: place.port ?? (isSecure ? 443 : 80))
        description = text
    }

    /// Splits `host[:port]`, with brackets around an IPv6 address.
    static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        let end = authority.first == "[" ? authority.firstIndex(of: "]") : authority.startIndex
        guard let end, let colon = authority[end...].firstIndex(of: ":") else {
            return authority.isEmpty ? nil : (authority.lowercased(), nil)
        }
        guard let port = Int(authority[authority.index(after: colon)...]), (1...65535).contains(port),
            colon != authority.startIndex
        else { return nil }
        return (authority[..<colon].lowercased(), port)
    }

    /// Whether `host` names this machine: `localhost`, 127.0.0.0/8 or `::1`.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Escapes what a query may not hold (RFC 3986, unreserved characters stay).
    static func escape(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
