import Platform

/// An upload that a registry has begun, as far as the client knows it (distribution specification, "Push").
struct UploadSession {
    /// Where the next request goes.
    var location: WebURL
    /// Bytes that the registry says it has.
    var offset: Int64 = 0
    /// The smallest chunk that it takes, but for the last one.
    var smallestChunk: Int64 = 0

    /// What an answer says of the session; the location is followed, wherever it leads, but never from an encrypted
    /// connection to an open one.
    init(_ head: HTTPHead, from url: WebURL, allowsOpen: (WebURL.Origin) -> Bool) throws {
        let host = url.origin.authority
        guard let text = head["location"] else {
            throw PushError.badAnswer(host: host, problem: "an upload without a Location")
        }
        guard let location = WebURL(text, relativeTo: url) else {
            throw PushError.badAnswer(host: host, problem: "the Location \(text)")
        }
        guard location.origin.isSecure || !url.origin.isSecure || allowsOpen(location.origin) else {
            throw RegistryError.downgrade(from: host, to: location.origin.authority)
        }
        self.location = location
        // No registry wants gigabytes at a time.
        smallestChunk =
            head["oci-chunk-min-length"].flatMap { Int64($0) }.map { min(max($0, 0), 1 << 31) } ?? 0
    }

    /// Takes over where the registry is now; `Range` is `0-LAST`, and `0-0` of an empty upload.
    mutating func advance(
        _ head: HTTPHead, from url: WebURL, allowsOpen: (WebURL.Origin) -> Bool, expecting expected: Int64?
    )
        throws
    {
        if head["location"] != nil {
            let next = try UploadSession(head, from: url, allowsOpen: allowsOpen)
            location = next.location
            if next.smallestChunk > 0 { smallestChunk = next.smallestChunk }
        }
        guard let range = head["range"] else {
            offset = expected ?? 0
            return
        }
        let ends = (range.hasPrefix("bytes=") ? range.dropFirst(6) : range[...]).split(
            separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, ends[0] == "0", let last = Int64(ends[1]), (0...(1 << 60)).contains(last)
        else {
            throw PushError.badAnswer(host: url.origin.authority, problem: "the range \(range)")
        }
        offset = last == 0 && expected != 1 ? 0 : last + 1
    }

    /// Where the content is said to be complete.
    func closing(_ digest: Digest) -> WebURL? {
        let mark = location.description.contains("?") ? "&" : "?"
        return WebURL("\(location)\(mark)digest=\(WebURL.escape(digest.description))")
    }
}

extension WebURL {
    /// Reads a reference as a browser at `base` does (RFC 3986, 5.2), without a fragment; dots stay as they are.
    init?(_ text: String, relativeTo base: WebURL) {
        let bare = text.prefix { $0 != "#" }
        let whole = base.description.prefix { $0 != "#" }
        guard let mark = whole.firstRange(of: "://") else { return nil }
        let start = whole[mark.upperBound...].firstIndex { $0 == "/" || $0 == "?" } ?? whole.endIndex
        let path = whole[start...].prefix { $0 != "?" }
        if bare.contains(text: "://"), WebURL(String(bare)) != nil {
            self.init(String(bare))
        } else if bare.hasPrefix("//") {
            self.init("\(whole[..<mark.lowerBound]):\(bare)")
        } else if bare.hasPrefix("/") {
            self.init("\(whole[..<start])\(bare)")
        } else if bare.hasPrefix("?") {
            self.init("\(whole[..<start])\(path)\(bare)")
        } else if bare.isEmpty || bare.prefix(while: { $0 != "/" && $0 != "?" }).contains(":") {
            return nil
        } else {
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
            self.init("\(whole[..<start])\(folder)\(bare)")
        }
    }
}
