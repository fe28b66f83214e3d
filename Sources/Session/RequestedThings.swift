import Libc
import Mounts
import Platform

/// `--add-host NAME:IP`: a line of `/etc/hosts`.
package struct HostEntry: Hashable, Sendable {
    package let name: String
    package let address: String

    /// The address follows the first `:` or `=`; brackets around it are left away.
    package init(_ text: String) throws(RequestError) {
        guard let end = text.firstIndex(where: { $0 == ":" || $0 == "=" }) else { throw .host(text) }
        var address = text[text.index(after: end)...]
        if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
        name = String(text[..<end])
        self.address = String(address)
        let isLegal = name.utf8.allSatisfy {
            $0 == 0x2d || $0 == 0x2e || $0 == 0x5f || (0x30...0x39).contains($0)
                || (0x41...0x5a).contains($0 & 0xdf)
        }
        guard !name.isEmpty, isLegal, InternetAddress.isLegal(self.address) else { throw .host(text) }
    }
}

/// Addresses as they are written.
package enum InternetAddress {
    /// Whether the text is an IPv4 or IPv6 address (inet_pton(3)).
    package static func isLegal(_ text: String) -> Bool {
        var place = in6_addr()
        return inet_pton(AF_INET, text, &place) == 1 || inet_pton(AF_INET6, text, &place) == 1
    }
}

/// `--device SRC[:DST[:rwm]]`: a device of the host in the container's `/dev`.
package struct DeviceSpec: Hashable, Sendable {
    package let source: HostPath
    package let target: GuestPath

    package init(_ text: String) throws(RequestError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), parts[0].hasPrefix("/") else { throw .device(text) }
        // Without a device controller there is no third way between all of a device and nothing.
        if parts.count == 3, !["rw", "rwm", "wr"].contains(parts[2]) { throw .deviceAccess(text, parts[2]) }
        let target = GuestPath(parts.count > 1 && !parts[1].isEmpty ? parts[1] : parts[0])
        let isBelow = target.isWithin("/dev") && target.components.count > 1
        guard isBelow, !target.climbs, !BindSpec.isReserved(target) else { throw .deviceTarget(text) }
        source = HostPath(parts[0])
        self.target = target
    }
}

/// `--tmpfs DST[:OPTS]`: a memory file system in the container.
package struct MemoryFileSystem: Hashable, Sendable {
    package let target: GuestPath
    package let parameters: [MountStep.Parameter]
    package let attributes: MountAttributes

    /// What tmpfs(5) itself understands.
    private static let keys = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "huge"]

    package init(_ text: String) throws(RequestError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let target = GuestPath(parts[0])
        guard parts[0].hasPrefix("/"), !target.climbs, !BindSpec.isReserved(target) else {
            throw .memoryTarget(text)
        }
        var options = BindOptions()
        for option in [MountOption.nosuid, .nodev] { option.apply(to: &options) }
        var parameters: [MountStep.Parameter] = []
        for word in parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : [] {
            let pair = word.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2, Self.keys.contains(pair[0]) {
                parameters.append(.init(pair[0], pair[1]))
            } else if let option = MountOption(rawValue: word) {
                option.apply(to: &options)
            } else {
                throw .memoryOption(text, word)
            }
        }
        if !parameters.contains(where: { $0.key == "mode" }) { parameters.append(.init("mode", "1777")) }
        self.target = target
        self.parameters = parameters
        attributes = options.attributes.set
    }
}

/// An option's value that says nothing.
package enum RequestError: UserFacing, Equatable {
    case host(String), device(String), deviceAccess(String, String), deviceTarget(String)
    case memoryTarget(String), memoryOption(String, String), nameServer(String)

    package var message: String {
        switch self {
        case .host(let text): "--add-host \(Quoted(text)) is not a name and an address"
        case .device(let text): "--device \(Quoted(text)) names no path of this host"
        case .deviceAccess(let text, let word):
            "--device \(Quoted(text)): access to a device cannot be limited to \(Quoted(word))"
        case .deviceTarget(let text): "--device \(Quoted(text)): devices of a container lie below /dev"
        case .memoryTarget(let text): "--tmpfs \(Quoted(text)): no memory file system can be there"
        case .memoryOption(let text, let word): "--tmpfs \(Quoted(text)): unknown option \(Quoted(word))"
        case .nameServer(let text): "--dns \(Quoted(text)) is not an address"
        }
    }

    package var hint: String? {
        switch self {
        case .host: "Write --add-host NAME:ADDRESS, such as db:10.0.0.7."
        case .device, .deviceAccess, .deviceTarget: "Write --device /dev/NAME[:/dev/OTHER]."
        case .memoryTarget:
            "Write --tmpfs /PATH[:size=64m,mode=1777], outside /proc, /sys, /dev/pts and /dev/shm."
        case .memoryOption: "Known: size, mode, uid, gid, nr_inodes, nr_blocks, huge, and words of mount(8)."
        case .nameServer: "Write an IPv4 or IPv6 address."
        }
    }
}
