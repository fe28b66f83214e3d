/// Takes a reference apart and checks each part.
struct ReferenceParser {
    private let text: String
    private var rest: Substring

    init(_ text: String) {
        self.text = text
        rest = text[...]
    }

    /// A reference may not be longer than this as a whole, and its name not longer than 255.
    private static let lengthLimit = 1024
    private static let nameLimit = 255

    mutating func parse() throws(ReferenceError) -> (
        registry: String, repository: String, tag: String?, digest: Digest?
    ) {
        guard !text.isEmpty else { throw fail(.empty) }
        guard text.utf8.count <= Self.lengthLimit else { throw fail(.tooLong) }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { throw fail(.strangeCharacter) }
        if rest.hasPrefix("docker://") { rest = rest.dropFirst(9) }
        let digest = try takeDigest()
        let tag = try takeTag()
        let (registry, repository) = try splitName()
        guard registry.utf8.count + 1 + repository.utf8.count <= Self.nameLimit else { throw fail(.tooLong) }
        return (registry, repository, tag, digest)
    }

    private func fail(_ problem: ReferenceError.Problem) -> ReferenceError {
        ReferenceError(text: text, problem: problem)
    }

    private mutating func takeDigest() throws(ReferenceError) -> Digest? {
        guard let at = rest.firstIndex(of: "@") else { return nil }
        let digest: Digest
        do { digest = try Digest(String(rest[rest.index(after: at)...])) } catch { throw fail(.digest) }
        rest = rest[..<at]
        return digest
    }

    /// The tag stands behind a colon in the last component; a colon before that belongs to a port.
    private mutating func takeTag() throws(ReferenceError) -> String? {
        let start = rest.lastIndex(of: "/").map { rest.index(after: $0) } ?? rest.startIndex
        guard let colon = rest[start...].firstIndex(of: ":") else { return nil }
        let tag = rest[rest.index(after: colon)...]
        guard (1...128).contains(tag.utf8.count),
            tag.utf8.allSatisfy({ Self.isWord($0) || $0 == dot || $0 == dash }),
            let first = tag.utf8.first, Self.isWord(first)
        else { throw fail(.tag) }
        rest = rest[..<colon]
        return String(tag)
    }

    private func splitName() throws(ReferenceError) -> (registry: String, repository: String) {
        var host = Reference.hub
        var path = rest
        if let slash = rest.firstIndex(of: "/"), Self.looksLikeHost(rest[..<slash]) {
            host = String(rest[..<slash])
            path = rest[rest.index(after: slash)...]
            guard Self.isHost(host[...]) else { throw fail(.host) }
        }
        if Self.hubNames.contains(host) {
            host = Reference.hub
            if !path.contains("/") {
                if path.utf8.count == 64, path.utf8.allSatisfy(Self.isHexDigit) { throw fail(.imageID) }
                path = "library/" + path
            }
        }
        guard !path.isEmpty else { throw fail(.path) }
        for component in path.split(separator: "/", omittingEmptySubsequences: false) {
            if Self.isPathComponent(component) { continue }
            throw fail(component.contains { $0.isUppercase } ? .upperCase : .path)
        }
        return (host, String(path))
    }

    private static let hubNames: Set<String> = ["docker.io", "index.docker.io", "registry-1.docker.io"]

    /// Docker's rule: a dot, a colon, `localhost` or an upper-case letter make the first component a host.
    private static func looksLikeHost(_ component: Substring) -> Bool {
        component == "localhost" || component.contains { $0 == "." || $0 == ":" || $0.isUppercase }
    }

    private static func isHost(_ text: Substring) -> Bool {
        var host = text
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return false }
            let address = text[text.index(after: text.startIndex)..<end]
            guard address.contains(":"), address.utf8.allSatisfy({ isHexDigit($0 | 0x20) || $0 == colon })
            else {
                return false
            }
            let port = text[text.index(after: end)...]
            return port.isEmpty || (port.first == ":" && isPort(port.dropFirst()))
        }
        if let mark = text.firstIndex(of: ":") {
            guard isPort(text[text.index(after: mark)...]) else { return false }
            host = text[..<mark]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            label.utf8.first.map(isAlphanumeric) == true && label.utf8.last.map(isAlphanumeric) == true
                && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == dash }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.utf8.allSatisfy(isDigit), let port = Int(text) else { return false }
        return (1...65535).contains(port)
    }

    /// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between them.
    private static func isPathComponent(_ text: Substring) -> Bool {
        var separator: [UInt8] = []
        var isStart = true
        for byte in text.utf8 {
            if isLower(byte) || isDigit(byte) {
                guard separator.isEmpty || (!isStart && isSeparator(separator)) else { return false }
                separator = []
                isStart = false
            } else {
                separator.append(byte)
            }
        }
        return !isStart && separator.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes == [dot] || bytes == [underscore] || bytes == [underscore, underscore]
            || bytes.allSatisfy { $0 == dash }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLower(byte | 0x20) }
    private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == underscore }
    private static func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte) }
}

private let dot = UInt8(ascii: ".")
private let dash = UInt8(ascii: "-")
private let underscore = UInt8(ascii: "_")
private let colon = UInt8(ascii: ":")
