import CLI
import Libc
import Platform

/// Who called, from where and with which variables, on which machine; also across an elevation.
struct Caller {
    /// The caller's own variables, not those that sudo made of them.
    let environment: Environment
    /// The same with the caller's own home and runtime directory, in which their credentials are.
    let personal: Environment
    let user: InvokingUser
    let host: HostSystem

    /// Called directly.
    init(_ environment: Environment) {
        self.environment = environment
        personal = environment
        user = InvokingUser.resolve(environment, realUID: getuid(), effectiveUID: geteuid())
        host = HostSystem.detect(environment: environment)
    }

    /// Called by our own unprivileged self.
    init(_ handoff: Handoff, _ environment: Environment, _ diagnostics: Diagnostics) throws {
        host = HostSystem.detect(environment: handoff.environment)
        let own = handoff.processEnvironment(current: environment, on: host)
        try own.adopt()
        self.environment = own
        personal = own.merging(handoff.remembered)
        user = handoff.invokingUser()
        if let error = handoff.enterWorkingDirectory() {
            diagnostics.warning(
                "\(handoff.workingDirectory) cannot be entered as root (\(error.reason)); using /")
        }
    }

    /// The caller's home directory.
    var home: HostPath? {
        if user.uid != 0, let home = user.home { return HostPath(home.text) }
        return environment.nonEmpty("HOME").map { HostPath($0) } ?? user.home.map { HostPath($0.text) }
    }
}
