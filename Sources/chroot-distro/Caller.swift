import CLI
import Libc
import OCI
import Platform

/// Who called, from where and with which variables, on which machine; also across an elevation.
struct Caller {
    /// The caller's own variables, not those that sudo made of them.
    private(set) var environment: Environment
    let host: HostSystem
    private let handoff: Handoff?
    /// Whether this process is where the caller was.
    private let isInPlace: Bool

    /// Called directly.
    init(_ environment: Environment) {
        self.environment = environment
        handoff = nil
        isInPlace = true
        host = HostSystem.detect(environment: environment)
    }

    /// Called by our own unprivileged self.
    init(_ handoff: Handoff, _ environment: Environment, _ diagnostics: Diagnostics) throws {
        host = HostSystem.detect(environment: handoff.environment)
        let own = handoff.processEnvironment(current: environment, on: host)
        try own.adopt()
        self.environment = own
        self.handoff = handoff
        let error = handoff.enterWorkingDirectory()
        isInPlace = error == nil
        if let error {
            diagnostics.warning(
                "\(handoff.workingDirectory) cannot be entered as root (\(error.reason)); using /")
        }
    }

    /// The same caller with other values for the variables that `isReplaced` names.
    func remembering(_ values: Environment, instead isReplaced: (RawString) -> Bool) -> Caller {
        var copy = self
        copy.environment = environment.filter { !isReplaced($0) }.merging(values.filter(isReplaced))
        return copy
    }

    /// The accounts are only searched when this is asked for: few commands need it.
    var user: InvokingUser {
        handoff?.invokingUser()
            ?? InvokingUser.resolve(environment, realUID: getuid(), effectiveUID: geteuid())
    }

    /// The variables with the caller's own home and runtime directory, in which their credentials are.
    var personal: Environment { handoff.map { environment.merging($0.remembered) } ?? environment }

    /// The person in whose name this process is root; `nil` when it is root by itself.
    ///
    /// Without an account they have no group that is known to be theirs: but on Android, where it has their number.
    var owner: CredentialSource.Owner? {
        identity.map { CredentialSource.Owner($0, name: HostUsers.user(withID: $0.user)?.name) }
    }

    /// The numbers of that person.
    var identity: Spawn.Identity? {
        guard let uid = handoff?.invokingUID, uid != 0 else { return nil }
        let group = HostUsers.user(withID: uid)?.gid ?? (host.termux == nil ? 65534 : gid_t(uid))
        return Spawn.Identity(user: uid, group: group)
    }

    /// Where the caller's relative paths begin; `nil` when that is not known, or cannot be entered by root.
    ///
    /// Anywhere else they would mean other files.
    var workingDirectory: RawString? {
        guard isInPlace, let current = getcwd(nil, 0) else { return nil }
        defer { free(current) }
        return RawString(cString: current)
    }

    /// The caller's home directory.
    var home: HostPath? {
        let user = user
        if user.uid != 0, let home = user.home { return HostPath(home.text) }
        return environment.nonEmpty("HOME").map { HostPath($0) } ?? user.home.map { HostPath($0.text) }
    }
}
