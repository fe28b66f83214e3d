import Libc
import Platform

/// Files that a container gets from this host: name resolution.
package enum GuestFiles {
    /// The first line of a `resolv.conf` of ours; without it the file is the guest's own and stays.
    private static let mark = "# Written by chroot-distro; remove this line to keep your own."

    private static let limit = 1 << 16

    /// Where the host's name servers stand, the best first.
    package static let resolverSources: [HostPath] = [
        "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf",
    ]

    /// A `resolv.conf` for the guest from those of the host.
    ///
    /// A stub on a loopback address serves the guest too, since it shares the host's network; but it may be gone or
    /// filtered, so the servers behind it are preferred where they are known. `search` and `options` are kept.
    package static func resolverConfiguration(from sources: [String]) -> String {
        var servers: [String] = []
        var stubs: [String] = []
        var others: [String] = []
        for source in sources {
            for line in source.split(whereSeparator: \.isNewline) {
                let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
                guard let keyword = words.first, words.count > 1 else { continue }
                switch keyword {
                case "nameserver":
                    let address = words[1]
                    guard address.allSatisfy({ $0.isHexDigit || ".:%".contains($0) || $0.isLetter }) else {
                        continue
                    }
                    if isLoopback(address) { stubs.append(address) } else { servers.append(address) }
                case "search", "domain", "options":
                    let text = words.joined(separator: " ")
                    if text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f || $0 == 0x20 }) { others.append(text) }
                default: break
                }
            }
            if !servers.isEmpty { break }
        }
        let chosen = servers.isEmpty ? (stubs.isEmpty ? ["8.8.8.8", "8.8.4.4"] : stubs) : servers
        var lines = [mark]
        for line in chosen.map({ "nameserver \($0)" }) + others where !lines.contains(line) {
            lines.append(line)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func isLoopback(_ address: String) -> Bool {
        address.hasPrefix("127.") || address == "::1" || address == "0.0.0.0" || address == "::"
    }

    /// The `hosts` of a new container.
    package static let hosts = """
        127.0.0.1	localhost
        ::1	localhost ip6-localhost ip6-loopback
        fe00::0	ip6-localnet
        ff00::0	ip6-mcastprefix
        ff02::1	ip6-allnodes
        ff02::2	ip6-allrouters

        """

    /// What the host's name servers are now.
    package static func hostResolverConfiguration(sources: [HostPath] = resolverSources) -> String {
        resolverConfiguration(
            from: sources.compactMap { path in
                guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK),
                    let bytes = try? file.readAll(limit: limit)
                else { return nil }
                return String(decoding: bytes, as: UTF8.self)
            })
    }

    /// Gives a new container its name resolution, where it has an `/etc` directory.
    ///
    /// Returns by how many bytes its files have grown.
    package static func install(in rootfs: borrowing Rootfs, resolver: String) throws(SystemError) -> Int64 {
        guard try rootfs.status("/etc")?.kind == .directory else { return 0 }
        return try replace("/etc/resolv.conf", in: rootfs, with: resolver)
            + replace("/etc/hosts", in: rootfs, with: hosts)
    }

    /// Follows the host's change of network, unless the guest has made the file its own.
    package static func refresh(in rootfs: borrowing Rootfs, resolver: String) {
        guard let place = try? rootfs.openParent("/etc/resolv.conf"),
            let bytes = try? place.directory.readFile(place.name, limit: limit)
        else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix(mark), text != resolver else { return }
        try? place.directory.keepingTime { () throws(SystemError) in
            try place.directory.replaceFile(
                place.name, with: Array(resolver.utf8), owner: (0, 0), durable: false)
        }
    }

    /// Replaces whatever stands there: a link, a FIFO or a device is removed, never followed.
    private static func replace(
        _ path: GuestPath, in rootfs: borrowing Rootfs, with text: String
    ) throws(SystemError) -> Int64 {
        let place = try rootfs.openParent(path)
        let old = try place.directory.statusIfPresent(place.name)
        if old?.kind == .directory {
            // An image with a directory there means it; it is left alone when it is not empty.
            do { try place.directory.removeDirectory(place.name) } catch { return 0 }
        }
        try place.directory.keepingTime { () throws(SystemError) in
            try place.directory.replaceFile(
                place.name, with: Array(text.utf8), owner: (0, 0), durable: false)
        }
        let lost = old.map { [.regular, .symbolicLink].contains($0.kind) && $0.links == 1 ? $0.size : 0 }
        return Int64(text.utf8.count) - (lost ?? 0)
    }

    // MARK: - Telling them

    /// What an installation writes, from the root of the guest.
    package static let paths: Set<RawString> = ["etc/resolv.conf", "etc/hosts"]

    /// Whether one of them is still what the program has written.
    package static func isOurs(_ path: RawString, in rootfs: borrowing Rootfs) -> Bool {
        guard paths.contains(path), let bytes = try? rootfs.readFile(GuestPath(path), limit: limit) else {
            return false
        }
        return path == "etc/hosts" ? bytes == Array(hosts.utf8) : bytes.starts(with: mark.utf8)
    }
}
