import Libc
import Mounts
import Platform
import Store

/// What a session asks for itself, by whatever option, as steps of its mount plan.
enum GuestRequests {
    static func steps(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts, _ identity: GuestAccounts.Identity
    ) throws -> [MountStep] {
        var steps = try binds(request, host: host, identity).map { MountStep.bind($0, required: true) }
        for device in request.devices { steps += try nodes(device, host: host) }
        steps += request.memoryFileSystems.map {
            .fileSystem("tmpfs", at: $0.target, parameters: $0.parameters, $0.attributes)
        }
        if !request.nameServers.isEmpty { steps.append(.file(resolver(request.nameServers))) }
        if !request.hosts.isEmpty { steps.append(.file(hosts(request.hosts, after: guest.hosts))) }
        return steps
    }

    // MARK: - Binds

    private static func binds(
        _ request: LaunchRequest, host: HostFacts, _ identity: GuestAccounts.Identity
    ) throws -> [BindSpec] {
        var binds = request.binds
        if request.sharesTemporary == true, !binds.contains(where: { $0.target == "/tmp" }) {
            binds.append(temporary(host))
        }
        for bind in binds where !host.exists(bind.source) { throw BindError.missingSource(bind.source) }
        if request.mode == .isolated { binds = binds.map { ownedByGuest($0, host: host, identity) } }
        if request.sharesHome {
            let home = try sharedHome(host, identity, isIsolated: request.mode == .isolated)
            guard host.exists(home.source) else { throw BindError.missingSource(home.source) }
            binds.append(home)
        }
        return binds
    }

    /// The host's directory for temporary files at the container's.
    static func temporary(_ host: HostFacts) -> BindSpec {
        BindSpec(source: host.termux.map { $0.prefix / "tmp" } ?? "/tmp", target: "/tmp")
    }

    /// To an isolated guest the files of a bind's owner are its own, all others nobody's; what belongs to the host's
    /// root stays so.
    private static func ownedByGuest(
        _ bind: BindSpec, host: HostFacts, _ identity: GuestAccounts.Identity
    ) -> BindSpec {
        guard let owner = host.owner(bind.source), owner.user != 0 else { return bind }
        var options = bind.options
        options.owners = OwnerMapping(
            hostUser: owner.user, hostGroup: owner.group, guestUser: identity.uid, guestGroup: identity.gid,
            isExclusive: true)
        return BindSpec(source: bind.source, target: bind.target, options: options)
    }

    /// The caller's home; to a guest's user of another number the caller's files are shown as its own.
    private static func sharedHome(
        _ host: HostFacts, _ identity: GuestAccounts.Identity, isIsolated: Bool
    ) throws(LaunchError) -> BindSpec {
        guard let source = host.termux?.home ?? host.home else { throw .noHome }
        let home = GuestPath(identity.home)
        var options = BindOptions()
        if identity.uid != 0 || isIsolated, let owner = host.owner(source),
            owner.user != identity.uid || isIsolated
        {
            // A file of the host's root, made by whoever likes, would be root's word for it.
            guard owner.user != 0 else { throw .homeOfRoot(source, user: identity.name.text) }
            options.owners = OwnerMapping(
                hostUser: owner.user, hostGroup: owner.group, guestUser: identity.uid,
                guestGroup: identity.gid, isExclusive: isIsolated)
        }
        return BindSpec(source: source, target: home.components.isEmpty ? "/root" : home, options: options)
    }

    // MARK: - Devices and files

    private static func nodes(_ device: DeviceSpec, host: HostFacts) throws(LaunchError) -> [MountStep] {
        let found = host.nodes(device.source)
        guard !found.isEmpty else { throw .noDevice(device.source) }
        var steps: [MountStep] = []
        for entry in found {
            let target = entry.name.map { device.target.appending($0) } ?? device.target
            if target.parent != "/dev" { steps.append(.directory(target.parent, mode: 0o755)) }
            steps.append(.node(target, entry.node))
        }
        return steps
    }

    private static func resolver(_ servers: [String]) -> GuestFile {
        let text = servers.map { "nameserver \($0)\n" }.joined()
        return GuestFile(
            "/etc/resolv.conf", Array(text.utf8), label: "name servers " + servers.joined(separator: " "))
    }

    private static func hosts(_ entries: [HostEntry], after existing: [UInt8]) -> GuestFile {
        let newline = UInt8(ascii: "\n")
        let start = existing.isEmpty || existing.last == newline ? existing : existing + [newline]
        let lines = entries.map { "\($0.address)\t\($0.name)\n" }.joined()
        return GuestFile(
            "/etc/hosts", start + Array(lines.utf8),
            label: "hosts " + entries.map { "\($0.name)=\($0.address)" }.joined(separator: " "))
    }
}
