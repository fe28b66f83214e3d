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
}
