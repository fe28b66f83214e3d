import CLinux
import Libc

/// Where this machine's control groups are (cgroups(7)).
package struct ControlGroupTree: Sendable {
    /// The root of version 2, alone or beside version 1; `nil` when there is none.
    package let unified: HostPath?
    /// The roots of version 1 by their controllers.
    package var legacy: [ResourceLimits.Controller: HostPath] { given ?? Self.mounted }
    private let given: [ResourceLimits.Controller: HostPath]?

    /// Those of this machine.
    package static let found = ControlGroupTree(unified: mountedUnified, legacy: nil)

    /// `legacy` is looked for among the mounts when it is `nil` and somebody asks.
    package init(unified: HostPath?, legacy: [ResourceLimits.Controller: HostPath]?) {
        self.unified = unified
        given = legacy
    }

    /// The file system type of version 2 (statfs(2)).
    private static let magic = 0x6367_7270

    private static let mountedUnified: HostPath? = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
        path in
        guard let directory = try? Directory.open(path) else { return false }
        return cd_filesystem_type(directory.raw) == magic
    }

    private static let mounted: [ResourceLimits.Controller: HostPath] = {
        guard let bytes = try? FileDescriptor.open("/proc/self/mounts", O_RDONLY).readAll(limit: 16 << 20)
        else { return [:] }
        return legacy(mounts: String(decoding: bytes, as: UTF8.self))
    }()

    /// From a table of mounts: device, place, type, options (proc_pid_mounts(5)).
    static func legacy(mounts: String) -> [ResourceLimits.Controller: HostPath] {
        var found: [ResourceLimits.Controller: HostPath] = [:]
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[2] == "cgroup" else { continue }
            for option in fields[3].split(separator: ",") {
                guard let controller = ResourceLimits.Controller(rawValue: String(option)),
                    found[controller] == nil
                else { continue }
                found[controller] = HostPath(String(fields[1]))
            }
        }
        return found
    }

    /// The words of a control file.
    static func words(_ file: HostPath) -> [Substring] {
        guard let bytes = try? FileDescriptor.open(file, O_RDONLY).readAll(limit: 1 << 24) else { return [] }
        return words(in: bytes)
    }

    static func words(in content: [UInt8]) -> [Substring] {
        String(decoding: content, as: UTF8.self).split { $0 == " " || $0 == "\n" }
    }

    /// The processes that a control file names.
    ///
    /// Those that the reader's PID namespace does not have are there as 0, which for kill(2) is the reader's own group.
    static func processes(_ words: [Substring]) -> [pid_t] {
        words.compactMap { pid_t($0) }.filter { $0 > 0 }
    }

    /// Writes to a control file, in one call as the kernel wants it.
    static func write(_ text: String, to file: HostPath) throws(SystemError) {
        try FileDescriptor.open(file, O_WRONLY).writeAll(text)
    }
}
