/// Decompresses gzip (RFC 1952): any number of members, each checked against its CRC-32 and size.
///
/// What follows the last member and does not begin like another one is ignored, as gzip does.
package final class GzipSource: ByteSource {
    private enum State { case betweenMembers, inMember, atEnd }

    private var input: InputWindow
    private let inflater: any Inflater
    private var state = State.betweenMembers
    private var hasSeenMember = false
    private var checksum: UInt32 = 0
    /// Modulo 2^32, as the trailer has it.
    private var length: UInt32 = 0

    private let verifiesChecksum: Bool

    /// `usesIsal` is for tests: it is used wherever it is installed.
    ///
    /// Without `verifiesChecksum`, which is for who compares what comes out with a digest, only the size is looked at.
    package init(
        _ source: any ByteSource, verifiesChecksum: Bool = true, usesIsal: Bool = true
    ) throws(CodecError) {
        input = InputWindow(source)
        self.verifiesChecksum = verifiesChecksum
        if usesIsal, let isal = IsalInflater() { inflater = isal } else { inflater = try ZlibInflater() }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            switch state {
            case .betweenMembers: state = try beginMember() ? .inMember : .atEnd
            case .inMember: filled += try inflate(UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            case .atEnd: return filled
            }
        }
        return filled
    }

    private func inflate(_ room: UnsafeMutableRawBufferPointer) throws -> Int {
        let hasInput = try input.fill()
        let step = try inflater.step(input.bytes, room)
        input.consume(step.consumed)
        if step.produced > 0 {
            if verifiesChecksum {
                checksum = inflater.checksum(
                    checksum, UnsafeRawBufferPointer(rebasing: room[..<step.produced]))
            }
            length &+= UInt32(truncatingIfNeeded: step.produced)
        }
        if step.hasEnded {
            input.giveBack(inflater.takeRest())
            try endMember()
        } else if !hasInput, step.produced == 0 {
            throw CodecError.truncated(.gzip)
        }
        return step.produced
    }

    private func endMember() throws {
        let (sum, size) = (try littleEndian(), try littleEndian())
        guard size == length, !verifiesChecksum || sum == checksum else { throw CodecError.damaged(.gzip) }
        state = .betweenMembers
    }

    private func littleEndian() throws -> UInt32 {
        var value: UInt32 = 0
        for shift in stride(from: UInt32(0), to: 32, by: 8) { value |= UInt32(try byte()) << shift }
        return value
    }

    private func byte() throws -> UInt8 {
        guard let byte = try input.nextByte() else { throw CodecError.truncated(.gzip) }
        return byte
    }

    // MARK: - Header

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let headerChecksum = Flags(rawValue: 2)
        static let extra = Flags(rawValue: 4)
        static let name = Flags(rawValue: 8)
        static let comment = Flags(rawValue: 16)
        static let reserved = Flags(rawValue: 0xe0)
    }

    /// Reads a header; false when no further member begins here.
    private func beginMember() throws -> Bool {
        guard try input.nextByte() == 0x1f, try input.nextByte() == 0x8b else {
            guard hasSeenMember else { throw CodecError.damaged(.gzip) }
            return false
        }
        hasSeenMember = true
        var crc = header(header(0, 0x1f), 0x8b)
        let method = try headerByte(&crc)
        let flags = Flags(rawValue: try headerByte(&crc))
        guard method == 8, flags.isDisjoint(with: .reserved) else { throw CodecError.damaged(.gzip) }
        for _ in 0..<6 { _ = try headerByte(&crc) }
        if flags.contains(.extra) {
            let count = try Int(headerByte(&crc)) + Int(headerByte(&crc)) << 8
            for _ in 0..<count { _ = try headerByte(&crc) }
        }
        if flags.contains(.name) { while try headerByte(&crc) != 0 {} }
        if flags.contains(.comment) { while try headerByte(&crc) != 0 {} }
        if flags.contains(.headerChecksum) {
            let expected = UInt32(try byte()) | UInt32(try byte()) << 8
            guard expected == crc & 0xffff else { throw CodecError.damaged(.gzip) }
        }
        inflater.reset()
        checksum = 0
        length = 0
        return true
    }

    private func headerByte(_ crc: inout UInt32) throws -> UInt8 {
        let value = try byte()
        crc = header(crc, value)
        return value
    }

    private func header(_ crc: UInt32, _ byte: UInt8) -> UInt32 {
        withUnsafeBytes(of: byte) { inflater.checksum(crc, $0) }
    }
}
