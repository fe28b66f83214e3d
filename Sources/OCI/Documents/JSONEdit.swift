/// A JSON text in which single members are changed and everything else stays as it is, to the byte.
struct JSONEdit {
    private(set) var bytes: [UInt8]

    /// A member of an object: its name, where it stands with its name, and where its value does.
    private struct Member {
        let name: String
        let whole: Range<Int>
        let value: Range<Int>
    }

    /// Throws unless `bytes` are an object in JSON; `name` stands in the error.
    init(_ bytes: [UInt8], name: String) throws(DocumentError) {
        struct Anything: Decodable {
            init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: AnyKey.self) }
        }
        struct AnyKey: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        // From here on the text is known to be well formed.
        _ = try JSON.decode(Anything.self, from: bytes, name: name)
        self.bytes = bytes
    }

    /// A member's value as it is written, with all blanks around it but the one behind the colon.
    func text(of name: String) -> [UInt8]? {
        guard let member = member(name) else { return nil }
        var start = member.value.lowerBound
        while bytes[start - 1] != UInt8(ascii: ":") { start -= 1 }
        if bytes[start] == UInt8(ascii: " ") { start += 1 }
        return Array(bytes[start..<skipBlanks(member.value.upperBound)])
    }

    /// The names in the object that is the member `parent`.
    func names(in parent: String) -> [String] {
        guard let object = member(parent)?.value, isObject(object) else { return [] }
        return members(of: object).map(\.name)
    }

    /// Sets a member of the object `parent`, which is made where there is none; `value` is JSON.
    mutating func set(_ name: String, in parent: String, to value: [UInt8]) throws {
        let key = try JSON.encode(name)
        guard let outer = member(parent), isObject(outer.value) else {
            let object = Array("{\n\t\t".utf8) + key + Array(": ".utf8) + value + Array("\n\t}".utf8)
            if let outer = member(parent) { return replace(outer.value, with: object) }
            return insert(Array("\"\(parent)\": ".utf8) + object, into: whole, indent: "\n\t", end: "\n")
        }
        if let known = members(of: outer.value).last(where: { $0.name == name }) {
            return replace(known.value, with: value)
        }
        insert(key + Array(": ".utf8) + value, into: outer.value, indent: "\n\t\t", end: "\n\t")
    }

    /// Removes each member of the object `parent` that is `unwanted`.
    mutating func remove(in parent: String, where unwanted: (String) -> Bool) {
        while let object = member(parent)?.value, isObject(object) {
            let all = members(of: object)
            guard let index = all.firstIndex(where: { unwanted($0.name) }) else { return }
            if index + 1 < all.count {
                replace(all[index].whole.lowerBound..<all[index + 1].whole.lowerBound, with: [])
            } else {
                let start = index > 0 ? all[index - 1].whole.upperBound : all[index].whole.lowerBound
                replace(start..<all[index].whole.upperBound, with: [])
            }
        }
    }

    // MARK: - Changing

    private mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
        bytes.replaceSubrange(range, with: text)
    }

    /// Adds a member at the end of an object, indented as the one before it.
    private mutating func insert(_ member: [UInt8], into object: Range<Int>, indent: String, end: String) {
        let all = members(of: object)
        guard let last = all.last else {
            return replace(object, with: Array("{\(indent)".utf8) + member + Array("\(end)}".utf8))
        }
        var start = last.whole.lowerBound
        while start > 0, Self.isBlank(bytes[start - 1]) { start -= 1 }
        let blanks = bytes[start..<last.whole.lowerBound]
        replace(last.whole.upperBound..<last.whole.upperBound, with: [UInt8(ascii: ",")] + blanks + member)
    }

    // MARK: - Looking

    private var whole: Range<Int> {
        let start = skipBlanks(0)
        return start..<end(ofValueAt: start)
    }

    private func isObject(_ value: Range<Int>) -> Bool { bytes[value.lowerBound] == UInt8(ascii: "{") }

    private func member(_ name: String) -> Member? { members(of: whole).last { $0.name == name } }

    private func members(of object: Range<Int>) -> [Member] {
        var result: [Member] = []
        var position = skipBlanks(object.lowerBound + 1)
        while position < object.upperBound, bytes[position] == UInt8(ascii: "\"") {
            let key = position..<end(ofValueAt: position)
            // Behind the colon.
            let start = skipBlanks(skipBlanks(key.upperBound) + 1)
            let value = start..<end(ofValueAt: start)
            let text = [UInt8(ascii: "[")] + bytes[key] + [UInt8(ascii: "]")]
            let name = (try? JSON.decode([String].self, from: text, name: ""))?.first ?? ""
            result.append(Member(name: name, whole: key.lowerBound..<value.upperBound, value: value))
            position = skipBlanks(value.upperBound)
            if position < object.upperBound, bytes[position] == UInt8(ascii: ",") {
                position = skipBlanks(position + 1)
            }
        }
        return result
    }

    private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }

    private func skipBlanks(_ start: Int) -> Int {
        var position = start
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
        return position
    }

    private func end(ofValueAt start: Int) -> Int {
        var depth = 0
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position = end(ofStringAt: position)
                if depth == 0 { return position }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth <= 1 { return depth == 1 ? position + 1 : position }
                depth -= 1
            case UInt8(ascii: ","), 0x20, 0x09, 0x0a, 0x0d:
                if depth == 0 { return position }
            default: break
            }
            position += 1
        }
        return position
    }

    private func end(ofStringAt start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position + 1, bytes.count)
    }
}

extension JSON {
    /// The bytes of a document that was put into the object `bytes` as a member; `nil` where there is none.
    package static func document(in bytes: [UInt8], member name: String) -> [UInt8]? {
        (try? JSONEdit(bytes, name: name))?.text(of: name)
    }
}
