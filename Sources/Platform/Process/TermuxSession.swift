/// What the shell of an Android `su` is told before it starts the program.
package struct TermuxSession: Hashable, Sendable {
    /// `/data` is shared in the global mount namespace, where binds below it would show up in themselves.
    package var wantsMountMaster = false
    /// Whether a person sits at a terminal, for a `su` that can allocate one.
    package var isInteractive = false
    /// The shell of Termux, when it is installed.
    package var shell: HostPath?
    /// Variables for the program as root.
    package var exports: [RawString: RawString]

    package init(_ termux: Termux, term: RawString?, preload: HostPath?) {
        let prefix = termux.prefix
        exports = [
            "PATH": RawString(
                "\(prefix.rawValue)/bin:\(prefix.rawValue)/bin/applets:/system/bin:/system/xbin"),
            "HOME": RawString(Self.rootHome(of: termux).rawValue),
            "PREFIX": RawString(prefix.rawValue),
            "TMPDIR": RawString((prefix / "tmp").rawValue),
            "LANG": "en_US.UTF-8",
        ]
        exports["TERM"] = term
        exports["LD_PRELOAD"] = preload.map { RawString($0.rawValue) }
    }

    /// A home of root's own: files of root in the user's home would lock the user out of them.
    package static func rootHome(of termux: Termux) -> HostPath { termux.home / ".suroot" }

    /// The library that lets programs of Termux find their interpreters, by its newer and its older name.
    package static func preloads(of termux: Termux) -> [HostPath] {
        ["libtermux-exec-ld-preload.so", "libtermux-exec.so"].map { termux.prefix / "lib" / $0 }
    }
}
