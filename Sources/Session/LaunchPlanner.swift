import Libc
import Mounts
import Namespaces
import Platform
import Store

/// Computes a plan from what was asked, what the host has and what the container says. It touches nothing.
package enum LaunchPlanner {
    package static func plan(_ request: LaunchRequest, host: HostFacts, guest: GuestFacts) throws -> LaunchPlan {
        if request.isMinimal, request.sharesHome { throw LaunchError.minimalShares("--shared-home") }
        if request.isMinimal, request.sharesTemporary == true { throw LaunchError.minimalShares("--shared-tmp") }
        if let hostname = request.hostname { try check(hostname: hostname) }
        let user = user(request, host: host, guest: guest)
        let identity = try guest.accounts.identity(user)
        let binds = try binds(request, host: host, home: GuestPath(identity.home))
        var mounts = sharedMounts(request, host: host)
        try mounts.add(binds: binds)
        let command = try command(request, host: host, guest: guest, shell: identity.shell)
        return LaunchPlan(
            container: guest.name, kind: request.kind, mode: request.isMinimal ? .minimal : .standard, mounts: mounts,
            binds: binds,
            privileges: Privileges(
                user: identity.uid, group: identity.gid,
                groups: groups(identity, host: host, isMinimal: request.isMinimal),
                droppedCapabilities: Capability.droppedByDefault),
            user: user,
            environment: try EnvironmentRules.environment(request, host: host, guest: guest, identity: identity),
            command: command,
            workingDirectory: workingDirectory(request, host: host, guest: guest, home: identity.home),
            home: GuestPath(identity.home), hostname: request.hostname)
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
            if request.sharesTemporary == true { plan.steps.append(bind(termux.prefix / "tmp", at: "/tmp")) }
        } else if request.sharesTemporary != false {
            plan.steps.append(bind("/tmp", at: "/tmp"))
        }
        return plan
    }

    private static func bind(_ source: HostPath, at target: GuestPath) -> MountStep {
        .bind(BindSpec(source: source, target: target), required: false)
    }

    private static func binds(
        _ request: LaunchRequest, host: HostFacts, home: GuestPath
    ) throws -> [BindSpec] {
        var binds = request.binds
        if request.sharesHome {
            guard let source = host.termux?.home ?? host.home else { throw LaunchError.noHome }
            binds.append(BindSpec(source: source, target: home.components.isEmpty ? "/root" : home))
        }
        for bind in binds where !host.exists(bind.source) { throw BindError.missingSource(bind.source) }
        return binds
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
        let rest = request.arguments.isEmpty ? (settings.command ?? []).map { RawString($0) } : request.arguments
        // The shell form of Entrypoint takes no arguments from Cmd.
        let words = isShellForm(settings.entrypoint) && request.arguments.isEmpty ? entrypoint : entrypoint + rest
        if words.isEmpty {
            throw guest.manifest == ContainerManifest() ? .noManifest(guest.name) : .nothingToRun(guest.name)
        }
        return .words(words, shell: nil)
    }

    private static func isShellForm(_ words: [String]?) -> Bool {
        words?.count == 3 && words?.prefix(2).elementsEqual(["/bin/sh", "-c"]) == true
    }

    private static func workingDirectory(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts, home: RawString
    ) -> LaunchPlan.WorkingDirectory {
        if let asked = request.workingDirectory ?? host.environment.nonEmpty("CD_WORKDIR") {
            return .required(RawString(asked))
        }
        if request.kind == .run { return .made(RawString(guest.manifest.settings.workingDirectory ?? "/")) }
        return .preferred(home)
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
