import Libc

/// A socket that waits for whoever connects or sends (proc_net(5)).
package struct ListeningSocket: Hashable, Sendable {
    /// `tcp`, `tcp6`, `udp` or `udp6`.
    package let `protocol`: String
    /// As it is written in a URL without brackets: `127.0.0.1`, `::1`.
    package let address: String
    package let port: UInt16
    /// By which a process's descriptor is told to be this one.
    package let inode: UInt64

    package static let protocols = ["tcp", "tcp6", "udp", "udp6"]

    /// Those of the network that a process sees.
    package static func all(of process: String) -> [ListeningSocket] {
        protocols.flatMap { name -> [ListeningSocket] in
            guard
                let bytes = try? FileDescriptor.open(HostPath("/proc/\(process)/net/\(name)"), O_RDONLY)
                    .readAll(limit: 64 << 20)
            else { return [] }
            return parse(String(decoding: bytes, as: UTF8.self), name)
        }
    }

    /// From a table of /proc/net; its first line has the titles.
    static func parse(_ table: String, _ name: String) -> [ListeningSocket] {
        // TCP_LISTEN; a UDP socket without a peer has TCP_CLOSE.
        let waiting = name.hasPrefix("tcp") ? "0A" : "07"
        return table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == waiting, let inode = UInt64(fields[9]) else { return nil }
            let local = fields[1].split(separator: ":")
            guard local.count == 2, let port = UInt16(local[1], radix: 16), let address = address(local[0])
            else { return nil }
            return ListeningSocket(protocol: name, address: address, port: port, inode: inode)
        }
    }

    /// Words of four bytes, each in the machine's own order.
    private static func address(_ digits: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var text = [CChar](repeating: 0, count: 64)
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The sockets that a process has open, by their inodes.
    package static func inodes(of pid: pid_t) -> Set<UInt64> {
        guard let directory = try? Directory.open(HostPath("/proc/\(pid)/fd")),
            let entries = try? directory.entries()
        else { return [] }
        return Set(
            entries.compactMap { entry in
                guard let target = try? directory.readSymbolicLink(entry.name),
                    target.text.hasPrefix("socket:[")
                else { return nil }
                return UInt64(target.text.dropFirst(8).dropLast())
            })
    }
}
