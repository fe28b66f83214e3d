import Libc

/// A Linux distribution as os-release(5) names it.
package struct Distribution: Hashable, Sendable {
    /// The `ID` and then the words of `ID_LIKE`, closest first.
    package let identifiers: [String]

    package init(identifiers: [String]) { self.identifiers = identifiers }

    package init(osRelease: [UInt8]) {
        var id: String?
        var like: [String] = []
        for line in osRelease.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = String(
                decoding: line[(equals + 1)...].filter { $0 != 0x22 && $0 != 0x27 }, as: UTF8.self)
            switch String(decoding: line[..<equals], as: UTF8.self) {
            case "ID": id = value
            case "ID_LIKE": like = value.split(separator: " ").map(String.init)
            default: break
            }
        }
        identifiers = (id.map { [$0] } ?? []) + like
    }

    /// This machine's, read when it is first asked for.
    static let ofHost = Distribution(osRelease: contentOfHost())

    private static func contentOfHost() -> [UInt8] {
        for path in ["/etc/os-release", "/usr/lib/os-release"] as [HostPath] {
            if let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK),
                let bytes = try? file.readAll(limit: 65536)
            {
                return bytes
            }
        }
        return []
    }

    /// Distributions that share their packages' names.
    package enum Family: String, CaseIterable, Hashable, Sendable {
        case debian, fedora, arch, alpine
    }

    package var family: Family? {
        for identifier in identifiers {
            switch identifier {
            case "debian", "ubuntu", "raspbian", "linuxmint", "kali": return .debian
            case "fedora", "rhel", "centos", "rocky", "almalinux": return .fedora
            case "arch", "archarm", "manjaro", "artix": return .arch
            case "alpine", "postmarketos": return .alpine
            default: continue
            }
        }
        return nil
    }
}
