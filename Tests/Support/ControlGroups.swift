import Libc
import Platform

/// The control groups of the stores that tests make.
package enum ControlGroups {
    /// What the names of a store's groups end with: device and inode of where it keeps what runs.
    package static func suffix(in run: HostPath) throws -> String {
        let status = try Directory.open(run).status()
        return suffix(device: UInt64(status.device), inode: UInt64(status.inode))
    }

    /// The groups of all stores that lie below `path`, in every hierarchy.
    package static func all(below path: HostPath) throws -> [HostPath] {
        let tops = ["/sys/fs/cgroup"] + names(in: "/sys/fs/cgroup").map { "/sys/fs/cgroup/\($0)" }
        let groups = tops.flatMap { top in
            names(in: top).filter { $0.hasPrefix("chroot-distro-") }.map { HostPath(top) / $0 }
        }
        if groups.isEmpty { return [] }
        let found = try Run.succeeding(
            "find", [path.rawValue, "-maxdepth", "5", "-type", "d", "-name", "run", "-printf", "%D %i\\n"])
        let suffixes = found.split(separator: "\n").compactMap { line -> String? in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return numbers.count == 2 ? suffix(device: numbers[0], inode: numbers[1]) : nil
        }
        return groups.filter { suffixes.contains(where: $0.rawValue.hasSuffix) }
    }

    private static func suffix(device: UInt64, inode: UInt64) -> String {
        "-\(String(device, radix: 16))-\(String(inode, radix: 16))"
    }

    private static func names(in folder: String) -> [String] {
        let entries = (try? Directory.open(HostPath(folder)).entries()) ?? []
        return entries.filter { $0.kind == .directory }.map(\.name.text)
    }
}
