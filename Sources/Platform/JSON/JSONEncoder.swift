/// Makes JSON from values of `Encodable` types.
package struct JSONEncoder {
    private let isIndented: Bool

    /// Members stand in the order of their names, so that equal values make equal bytes.
    package init(isIndented: Bool = false) { self.isIndented = isIndented }

    /// Throws `EncodingError` for what JSON cannot say, such as an infinite number.
    package func encode(_ value: some Encodable) throws -> [UInt8] {
        let node = EncodedNode(codingPath: [])
        try value.encode(to: node)
        return Array(node.value.text(isIndented: isIndented).utf8)
    }
}

/// A value in the making: what a type writes itself to.
private final class EncodedNode: Encoder, SingleValueEncodingContainer {
    enum Content {
        case value(JSONValue)
        case object([(name: String, node: EncodedNode)])
        case array([EncodedNode])
    }

    let codingPath: [any CodingKey]
    private var content = Content.value(.null)
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    var value: JSONValue {
        switch content {
        case .value(let value): value
        case .object(let members): .object(members.map { JSONValue.Member($0.name, $0.node.value) })
        case .array(let nodes): .array(nodes.map(\.value))
        }
    }

    // MARK: - Members and elements

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = content {} else { content = .object([]) }
        return KeyedEncodingContainer(MemberEncoder<Key>(node: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = content {} else { content = .array([]) }
        return ElementEncoder(node: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func member(_ key: some CodingKey) -> EncodedNode {
        guard case .object(var members) = content else { return self }
        content = .value(.null)
        let node = EncodedNode(codingPath: codingPath + [key])
        members.append((key.stringValue, node))
        content = .object(members)
        return node
    }

    func element() -> EncodedNode {
        guard case .array(var nodes) = content else { return self }
        content = .value(.null)
        let node = EncodedNode(codingPath: codingPath)
        nodes.append(node)
        content = .array(nodes)
        return node
    }

    var count: Int { if case .array(let nodes) = content { nodes.count } else { 0 } }

    // MARK: - Single values

    private func set(_ number: some FixedWidthInteger) {
        content = .value(Int64(exactly: number).map { .integer($0) } ?? .number("\(number)"))
    }

    func encodeNil() { content = .value(.null) }
    func encode(_ value: Bool) { content = .value(.boolean(value)) }
    func encode(_ value: String) { content = .value(.string(value)) }

    func encode(_ value: Double) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: codingPath, debugDescription: "JSON has no such number"))
        }
        content = .value(Int64(exactly: value).map { .integer($0) } ?? .number("\(value)"))
    }

    func encode(_ value: Float) throws { try encode(Double(value)) }
    func encode(_ value: Int) { set(value) }
    func encode(_ value: Int8) { set(value) }
    func encode(_ value: Int16) { set(value) }
    func encode(_ value: Int32) { set(value) }
    func encode(_ value: Int64) { set(value) }
    func encode(_ value: UInt) { set(value) }
    func encode(_ value: UInt8) { set(value) }
    func encode(_ value: UInt16) { set(value) }
    func encode(_ value: UInt32) { set(value) }
    func encode(_ value: UInt64) { set(value) }
    func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: self) }
}

private struct MemberEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodedNode
    var codingPath: [any CodingKey] { node.codingPath }

    func encodeNil(forKey key: Key) { node.member(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: String, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try node.member(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try node.member(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) { node.member(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) { node.member(key).encode(value) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try value.encode(to: node.member(key))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { node.member(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        node.member(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { Key(stringValue: "super").map { node.member($0) } ?? node }
    func superEncoder(forKey key: Key) -> any Encoder { node.member(key) }
}

private struct ElementEncoder: UnkeyedEncodingContainer {
    let node: EncodedNode
    var codingPath: [any CodingKey] { node.codingPath }
    var count: Int { node.count }

    func encodeNil() { node.element().encodeNil() }
    func encode(_ value: Bool) { node.element().encode(value) }
    func encode(_ value: String) { node.element().encode(value) }
    func encode(_ value: Double) throws { try node.element().encode(value) }
    func encode(_ value: Float) throws { try node.element().encode(value) }
    func encode(_ value: Int) { node.element().encode(value) }
    func encode(_ value: Int8) { node.element().encode(value) }
    func encode(_ value: Int16) { node.element().encode(value) }
    func encode(_ value: Int32) { node.element().encode(value) }
    func encode(_ value: Int64) { node.element().encode(value) }
    func encode(_ value: UInt) { node.element().encode(value) }
    func encode(_ value: UInt8) { node.element().encode(value) }
    func encode(_ value: UInt16) { node.element().encode(value) }
    func encode(_ value: UInt32) { node.element().encode(value) }
    func encode(_ value: UInt64) { node.element().encode(value) }
    func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: node.element()) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        node.element().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { node.element().unkeyedContainer() }
    func superEncoder() -> any Encoder { node.element() }
}
