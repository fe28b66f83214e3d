import Libc

/// Bytes without NUL that the kernel hands around as text: an argument, a variable, a file name.
///
/// Linux does not promise UTF-8, so nothing that must come back unchanged may pass through `String`.
package struct RawString: Hashable, Sendable {
    package let bytes: [UInt8]

    /// `nil` when there is a NUL in it.
    package init?(bytes: some Collection<UInt8>) {
        guard !bytes.contains(0) else { return nil }
        self.bytes = Array(bytes)
    }

    // The same for those that mostly come: each file of a tree has its name made by one of these, and a generic function
    // of another module is slow.

    /// `nil` when there is a NUL in it.
    package init?(bytes: [UInt8]) {
        guard !bytes.contains(0) else { return nil }
        self.bytes = bytes
    }

    /// `nil` when there is a NUL in it.
    package init?(bytes: ArraySlice<UInt8>) { self.init(bytes: Array(bytes)) }

    /// For bytes among which there is certainly no NUL.
    package init(withoutZeros bytes: [UInt8]) { self.bytes = bytes }

    /// Whether it is `.` or `..`.
    var isDots: Bool {
        let dot = UInt8(ascii: ".")
        return bytes.first == dot && (bytes.count == 1 || bytes.count == 2 && bytes[1] == dot)
    }

    /// Everything before a NUL, should there be one.
    package init(_ text: String) {
        let whole = Array(text.utf8)
        bytes = whole.firstIndex(of: 0).map { Array(whole[..<$0]) } ?? whole
    }

    /// Copies a C string.
    package init(cString: UnsafePointer<CChar>) {
        bytes = Array(UnsafeRawBufferPointer(start: cString, count: strlen(cString)))
    }

    /// The text, with bytes that are not UTF-8 replaced.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// What stands behind the last slash.
    package var lastComponent: RawString {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return self }
        return RawString(bytes: bytes[(slash + 1)...]) ?? self
    }

    package func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let terminated = ContiguousArray(bytes.map { CChar(bitPattern: $0) } + [0])
        return try terminated.withUnsafeBufferPointer { (buffer) throws(Failure) in
            guard let start = buffer.baseAddress else {
                preconditionFailure("a terminated array has a start")
            }
            return try body(start)
        }
    }
}

extension RawString: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self.init(value) }
}

extension RawString: CustomStringConvertible {
    /// Safe to print.
    package var description: String { Quoted(bytes: bytes).description }
}

extension RawString: Comparable {
    package static func < (left: RawString, right: RawString) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
