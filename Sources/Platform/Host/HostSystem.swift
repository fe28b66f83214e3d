import Libc

/// The machine that the program runs on, found out once.
package struct HostSystem: Hashable, Sendable {
    /// `nil` on a Linux distribution.
    package let termux: Termux?
    /// `nil` for a machine that no image is made for.
    package let architecture: Architecture?
    /// The machine as uname(2) names it.
    package let machine: String
    /// The kernel's release as uname(2) gives it, such as `6.1.0-28-amd64`.
    package let kernelRelease: String
    /// `nil` for that of this machine, which few commands ask for.
    private let ownDistribution: Distribution?
    package var distribution: Distribution { ownDistribution ?? .ofHost }

    /// What was seen of a machine, for `init` to judge.
    package struct Facts: Sendable {
        package var environment = Environment()
        package var machine = ""
        package var kernelRelease = ""
        /// The content of os-release(5); `nil`: read it when it is asked for.
        package var osRelease: [UInt8]? = []
        package var hasAndroidMarker = false
        /// Whether a directory may be listed and entered.
        package var isReachable: @Sendable (HostPath) -> Bool = { _ in false }

        package init() {}
    }

    package init(_ facts: Facts) {
        machine = facts.machine
        architecture = Architecture(uname: facts.machine)
        kernelRelease = facts.kernelRelease
        ownDistribution = facts.osRelease.map { Distribution(osRelease: $0) }
        let variables = facts.environment
        let package = variables.nonEmpty("TERMUX_APP__PACKAGE_NAME") ?? "com.termux"
        let prefix = HostPath(variables.nonEmpty("TERMUX__PREFIX") ?? "/data/data/\(package)/files/usr")
        let home = HostPath(variables.nonEmpty("TERMUX__HOME") ?? "/data/data/\(package)/files/home")
        let signs = [
            facts.hasAndroidMarker,
            variables.nonEmpty("TERMUX_APP__APP_VERSION_NAME") != nil
                || variables.nonEmpty("TERMUX_VERSION") != nil,
            facts.isReachable(prefix),
        ]
        // Any one of them alone turns up elsewhere: in a container on a phone, in a copied environment.
        let isTermux = signs.count { $0 } >= 2
        termux = isTermux ? Termux(package: package, prefix: prefix, home: home) : nil
    }

    /// Looks at this machine; the variables are the invoking user's.
    package static func detect(environment: Environment) -> HostSystem {
        var facts = Facts()
        facts.environment = environment
        var names = utsname()
        if uname(&names) == 0 {
            facts.machine = text(names.machine)
            facts.kernelRelease = text(names.release)
        }
        facts.osRelease = nil
        #if os(Android)
            facts.hasAndroidMarker = true
        #else
            facts.hasAndroidMarker = ["/system/build.prop", "/data/app"].contains { (path: String) in
                access(path, F_OK) == 0
            }
        #endif
        facts.isReachable = { access($0.rawValue, R_OK | X_OK) == 0 }
        return HostSystem(facts)
    }

    /// The text in one of the fixed arrays of `utsname`.
    private static func text<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
