import Libc
import Platform
import Store

/// A file of a running container behind something that its sessions have mounted.
struct CoveredPlace {
    private let place: FilePlace
    private let name: ContainerName
    private let cover: GuestPath

    /// `nil` when the container does not run, or its sessions see that very file.
    init?(_ place: FilePlace, in layout: StateLayout) {
        guard let name = place.container,
            let holder = SessionRegistry.read(name, in: layout)?.livingHolder(),
            let table = try? FileDescriptor.open(HostPath("/proc/\(holder.pid)/mountinfo"), O_RDONLY),
            let bytes = try? table.readAll(limit: 4 << 20),
            let cover = Self.mountPoints(bytes).first(where: { $0 != .root && place.path.isWithin($0) })
        else { return nil }
        self.place = place
        self.name = name
        self.cover = cover
    }

    var message: String {
        "\(place): sessions of \(name) do not see this file, but what is mounted on \(cover)"
    }

    /// The fifth field of each line, in which blanks and backslashes stand as octal numbers (proc(5)).
    static func mountPoints(_ table: [UInt8]) -> [GuestPath] {
        table.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            return fields.count > 5 ? RawString(bytes: unescaped(fields[4])).map { GuestPath($0) } : nil
        }
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var rest = field
        var result: [UInt8] = []
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            else {
                result.append(byte)
                continue
            }
            result.append(code)
            rest = rest.dropFirst(3)
        }
        return result
    }
}
