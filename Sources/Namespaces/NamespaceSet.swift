import CLinux

/// Kinds of namespaces (namespaces(7)).
package struct NamespaceSet: OptionSet, Hashable, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let mount = NamespaceSet(rawValue: cd_clone_newns)
    package static let process = NamespaceSet(rawValue: cd_clone_newpid)
    package static let hostname = NamespaceSet(rawValue: cd_clone_newuts)
    package static let ipc = NamespaceSet(rawValue: cd_clone_newipc)
    package static let user = NamespaceSet(rawValue: cd_clone_newuser)
    package static let cgroup = NamespaceSet(rawValue: cd_clone_newcgroup)

    /// What it is called for people, and by which file of `/proc/PID/ns` the kernel says that it has it.
    static let kinds: [(kind: NamespaceSet, name: String, file: String)] = [
        (.mount, "mounts", "mnt"), (.process, "processes", "pid"), (.hostname, "host names", "uts"),
        (.ipc, "IPC", "ipc"), (.user, "users", "user"), (.cgroup, "control groups", "cgroup"),
    ]

    package var names: [String] { Self.kinds.filter { contains($0.kind) }.map(\.name) }
}
