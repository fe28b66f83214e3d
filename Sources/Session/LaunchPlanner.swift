import Libc
import Mounts
import Namespaces
import Platform
import Store

/// Computes a plan from what was asked, what the host has and what the container says, and touches nothing.
package enum LaunchPlanner {
    package static func plan(_ request: LaunchRequest, host: HostFacts, guest: GuestFacts) throws
        -> LaunchPlan
    {
        if request.isMinimal, request.sharesHome { throw LaunchError.minimalShares("--shared-home") }
        if request.isMinimal, request.sharesTemporary == true {
            throw LaunchError.minimalShares("--shared-tmp")
        }
        if let hostname = request.hostname { try check(hostname: hostname) }
        let user = user(request, host: host, guest: guest)
        let identity = try guest.accounts.identity(user)
        let binds = try binds(request, host: host, identity)
        var mounts = sharedMounts(request, host: host)
        try mounts.add(binds: binds)
        let command = try command(request, host: host, guest: guest, shell: identity.shell)
        return LaunchPlan(
            container: guest.name, kind: request.kind, mode: request.isMinimal ? .minimal : .standard,
            mounts: mounts,
            binds: binds, keepsTemporary: request.sharesTemporary == false,
            privileges: Privileges(
                user: identity.uid, group: identity.gid,
                groups: groups(identity, host: host, isMinimal: request.isMinimal),
                droppedCapabilities: Capability.droppedByDefault),
            user: user,
            environment: try EnvironmentRules.environment(
                request, host: host, guest: guest, identity: identity),
            command: command,
            workingDirectory: workingDirectory(request, host: host, guest: guest, home: identity.home, binds),
            home: GuestPath(identity.home), hostname: request.hostname,
            limits: request.limits)
    }

    /// `login` is root unless told otherwise, as documented; `run` is whom the image names.
    private static func user(_ request: LaunchRequest, host: HostFacts, guest: GuestFacts) -> String {
        let image = request.kind == .run ? guest.manifest.settings.user : nil
        return request.user ?? host.environment.nonEmpty("CD_USER") ?? image ?? "root"
    }

    /// The primary group first; on Android the groups that its kernels ask of whoever uses the network.
    private static func groups(
        _ identity: GuestAccounts.Identity, host: HostFacts, isMinimal: Bool
    ) -> [gid_t] {
        let network: [gid_t] = host.termux != nil && !isMinimal ? [3003, 3004] : []
        return (identity.supplementary + network).reduce(into: [identity.gid]) { groups, group in
            if !groups.contains(group) { groups.append(group) }
        }
    }

    // MARK: - Mounts

    private static func sharedMounts(_ request: LaunchRequest, host: HostFacts) -> MountPlan {
        guard !request.isMinimal else { return SystemMounts.plan(devices: .none) }
        var plan = SystemMounts.plan(devices: host.devices)
        if let termux = host.termux {
            plan.steps += TermuxBinds.steps(termux, exists: host.exists)
        } else if request.sharesTemporary == nil {
            plan.steps.append(.bind(temporary(host), required: false))
        }
        return plan
    }

    /// The host's directory for temporary files at the container's.
    private static func temporary(_ host: HostFacts) -> BindSpec {
        BindSpec(source: host.termux.map { $0.prefix / "tmp" } ?? "/tmp", target: "/tmp")
    }

    /// What was asked for, by whatever option.
    private static func binds(
        _ request: LaunchRequest, host: HostFacts, _ identity: GuestAccounts.Identity
    ) throws -> [BindSpec] {
        var binds = request.binds
        if request.sharesTemporary == true, !binds.contains(where: { $0.target == "/tmp" }) {
            binds.append(temporary(host))
        }
        if request.sharesHome { binds.append(try sharedHome(host, identity)) }
        for bind in binds where !host.exists(bind.source) { throw BindError.missingSource(bind.source) }
        return binds
    }

    /// The caller's home; to a guest's user of another number the caller's files are shown as its own.
    private static func sharedHome(
        _ host: HostFacts, _ identity: GuestAccounts.Identity
    ) throws(LaunchError) -> BindSpec {
        guard let source = host.termux?.home ?? host.home else { throw .noHome }
        let home = GuestPath(identity.home)
        var options = BindOptions()
        if identity.uid != 0, let owner = host.owner(source), owner.user != identity.uid {
            // A file of the host's root, made by whoever likes, would be root's word for it.
            guard owner.user != 0 else { throw .homeOfRoot(source, user: identity.name.text) }
            options.owners = OwnerMapping(
                hostUser: owner.user, hostGroup: owner.group, guestUser: identity.uid,
                guestGroup: identity.gid)
        }
        return BindSpec(source: source, target: home.components.isEmpty ? "/root" : home, options: options)
    }

    // MARK: - Command

    private static func command(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts, shell: RawString
    ) throws(LaunchError) -> LaunchPlan.Command {
        if request.kind == .login {
            return request.arguments.isEmpty ? .shell(shell) : .words(request.arguments, shell: shell)
        }
        let settings = guest.manifest.settings
        if let entrypoint = request.entrypoint ?? host.environment.nonEmpty("CD_ENTRYPOINT") {
            return .words([RawString(entrypoint)] + request.arguments, shell: nil)
        }
        let entrypoint = (settings.entrypoint ?? []).map { RawString($0) }
        let rest =
            request.arguments.isEmpty ? (settings.command ?? []).map { RawString($0) } : request.arguments
        // The shell form of Entrypoint takes no arguments from Cmd.
        let words =
            isShellForm(settings.entrypoint) && request.arguments.isEmpty ? entrypoint : entrypoint + rest
        if words.isEmpty {
            throw guest.manifest == ContainerManifest() ? .noManifest(guest.name) : .nothingToRun(guest.name)
        }
        return .words(words, shell: nil)
    }

    private static func isShellForm(_ words: [String]?) -> Bool {
        words?.count == 3 && words?.prefix(2).elementsEqual(["/bin/sh", "-c"]) == true
    }

    private static func workingDirectory(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts, home: RawString, _ binds: [BindSpec]
    ) -> LaunchPlan.WorkingDirectory {
        if let asked = request.workingDirectory ?? host.environment.nonEmpty("CD_WORKDIR") {
            return .required(translate(RawString(asked), binds))
        }
        if request.kind == .run { return .made(RawString(guest.manifest.settings.workingDirectory ?? "/")) }
        return .preferred(home)
    }

    /// A path of the host that a bind shows, as the container names it: by the longest source that holds it.
    private static func translate(_ path: RawString, _ binds: [BindSpec]) -> RawString {
        guard path.bytes.first == UInt8(ascii: "/") else { return path }
        let asked = GuestPath(path)
        guard !asked.climbs else { return path }
        let sources = binds.map { (source: GuestPath($0.source.rawValue), target: $0.target) }
        let longest = sources.filter { asked.isWithin($0.source) }
            .max { $0.source.components.count < $1.source.components.count }
        guard let longest else { return path }
        let rest = asked.components.dropFirst(longest.source.components.count)
        return GuestPath(components: longest.target.components + rest).absolute
    }

    /// hostname(7): labels of letters, digits and `-`; 64 bytes is the kernel's limit.
    private static func check(hostname: String) throws(LaunchError) {
        let labels = hostname.split(separator: ".", omittingEmptySubsequences: false)
        let isLegal = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    byte == 0x2d || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
                }
        }
        guard isLegal, hostname.utf8.count <= 64 else { throw .badHostname(hostname) }
    }
}
