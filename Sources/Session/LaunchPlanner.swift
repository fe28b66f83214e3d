import Libc
import Mounts
import Namespaces
import Platform
import Store

/// Computes a plan from what was asked, what the host has and what the container says, and touches nothing.
package enum LaunchPlanner {
    /// `isJoining` leaves out of its mounts what only the start of a container needs.
    package static func plan(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts, isJoining: Bool = false
    ) throws -> LaunchPlan {
        let request = try resolved(request, host: host, guest: guest)
        let user = user(request, host: host, guest: guest)
        let identity = try guest.accounts.identity(user)
        let requests = try GuestRequests.steps(request, host: host, guest: guest, identity)
        var mounts = isJoining ? MountPlan([]) : sharedMounts(request, host: host)
        try mounts.add(requests)
        if request.mode == .isolated, !isJoining {
            mounts.steps += host.heatCounters().map { .mask($0) } + SystemMounts.covers
        }
        let mode = request.mode ?? .standard
        let changes = CapabilityChange(request, host: host)
        var plan = LaunchPlan(
            container: guest.name, kind: request.kind, mode: mode, mounts: mounts, requests: requests,
            keepsTemporary: request.sharesTemporary == false,
            privileges: Privileges(
                user: identity.uid, group: identity.gid,
                groups: groups(identity, host: host, isClosed: request.isClosed),
                capabilities: changes.applied(to: .standard),
                hasNoNewPrivileges: request.hasNoNewPrivileges),
            user: user,
            environment: try EnvironmentRules.environment(
                request, host: host, guest: guest, identity: identity),
            command: try command(request, host: host, guest: guest, shell: identity.shell),
            workingDirectory: workingDirectory(
                request, host: host, guest: guest, home: identity.home, MountPlan(requests).binds),
            home: GuestPath(identity.home), hostname: request.hostname, limits: request.limits)
        plan.isReadOnly = request.isReadOnly
        plan.isEphemeral = request.isEphemeral
        if mode == .isolated {
            plan.confined = changes.applied(to: .confined)
            plan.boundary = guest.range.map { LaunchPlan.Boundary.range($0) } ?? .capabilities(plan.confined)
            plan.isStrict = request.isStrict
            plan.isFiltered = !request.isPrivileged && !host.environment.isTruthy("CD_NO_SECCOMP")
        }
        return plan
    }

    /// The request with what the environment adds to it, and free of contradictions.
    private static func resolved(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts
    ) throws(LaunchError) -> LaunchRequest {
        var request = request
        (request.mode, request.isStrict) = request.isolation(host.environment, running: guest.running)
        if host.environment.isTruthy("CD_NO_NEW_PRIVS") { request.hasNoNewPrivileges = true }
        if request.isMinimal, request.sharesHome { throw .minimalShares("--shared-home") }
        if request.isMinimal, request.sharesTemporary == true { throw .minimalShares("--shared-tmp") }
        if request.isStrict, request.isPrivileged { throw .contradicts("--privileged", "--isolated=strict") }
        if let hostname = request.hostname { try check(hostname: hostname) }
        return request
    }

    /// `login` is root unless told otherwise, as documented; `run` is whom the image names.
    private static func user(_ request: LaunchRequest, host: HostFacts, guest: GuestFacts) -> String {
        let image = request.kind == .run ? guest.manifest.settings.user : nil
        return request.user ?? host.environment.nonEmpty("CD_USER") ?? image ?? "root"
    }

    /// The primary group first; on Android the groups that its kernels ask of whoever uses the network.
    private static func groups(
        _ identity: GuestAccounts.Identity, host: HostFacts, isClosed: Bool
    ) -> [gid_t] {
        let network: [gid_t] = host.termux != nil && !isClosed ? [3003, 3004] : []
        return (identity.supplementary + network).reduce(into: [identity.gid]) { groups, group in
            if !groups.contains(group) { groups.append(group) }
        }
    }

    // MARK: - Mounts

    private static func sharedMounts(_ request: LaunchRequest, host: HostFacts) -> MountPlan {
        var plan = SystemMounts.plan(devices: request.isClosed ? .none : host.devices())
        let sharesTemporary = !request.isClosed && host.termux == nil && request.sharesTemporary == nil
        if sharesTemporary {
            plan.steps.append(.bind(GuestRequests.temporary(host), required: false))
        } else if !request.isClosed, let termux = host.termux {
            plan.steps += TermuxBinds.steps(termux, exists: host.exists)
        }
        if request.isReadOnly {
            if !sharesTemporary { plan.steps.append(SystemMounts.writable("/tmp")) }
            plan.steps.append(SystemMounts.writable("/var/tmp"))
        }
        return plan
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

    private static func check(hostname: String) throws(LaunchError) {
        guard isLegal(hostname: hostname) else { throw .badHostname(hostname) }
    }

    /// hostname(7): labels of letters, digits and `-`; 64 bytes is the kernel's limit.
    static func isLegal(hostname: String) -> Bool {
        let labels = hostname.split(separator: ".", omittingEmptySubsequences: false)
        let isLegal = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    byte == 0x2d || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
                }
        }
        return isLegal && hostname.utf8.count <= 64
    }
}
