import Libc

/// Where programs are looked for.
package struct ProgramSearch: Hashable, Sendable {
    package let directories: [HostPath]

    /// Only absolute directories are kept: a program must never come from wherever the user happens to be.
    package init(directories: [HostPath]) { self.directories = directories.filter(\.isAbsolute) }

    /// The `PATH` of an environment, for a process that has no more rights than the one who set it.
    package init(_ environment: Environment) {
        let path = environment["PATH"]?.bytes ?? []
        self.init(
            directories: path.split(separator: UInt8(ascii: ":")).compactMap {
                String(validating: $0, as: UTF8.self).map { HostPath($0) }
            })
    }

    /// The directories that only the administrator can put programs into, for a process that runs as root.
    package static func trusted(on host: HostSystem) -> ProgramSearch {
        if let termux = host.termux {
            return ProgramSearch(directories: [
                termux.prefix / "bin", termux.prefix / "bin/applets", "/system/bin", "/system/xbin",
            ])
        }
        return ProgramSearch(directories: [
            "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
            // NixOS.
            "/run/wrappers/bin", "/run/current-system/sw/bin",
        ])
    }

    /// The right one for this process: `PATH`, or the trusted directories when it is root.
    package static func suitable(on host: HostSystem, environment: Environment) -> ProgramSearch {
        geteuid() == 0 ? trusted(on: host) : ProgramSearch(environment)
    }

    /// The directories as the value of `PATH`.
    package var path: RawString { RawString(directories.map(\.rawValue).joined(separator: ":")) }

    /// The first executable regular file with that name.
    package func find(_ name: String) -> HostPath? {
        directories.lazy.map { $0 / name }.first(where: Self.isProgram)
    }

    /// The first executable of that name, or a `MissingProgram`.
    package func require(_ name: String, on host: HostSystem) throws(MissingProgram) -> HostPath {
        guard let path = find(name) else { throw MissingProgram(name, on: host) }
        return path
    }

    package static func isProgram(_ path: HostPath) -> Bool {
        var status = stat()
        return stat(path.rawValue, &status) == 0 && FileStatus(status).kind == .regular
            && access(path.rawValue, X_OK) == 0
    }
}
