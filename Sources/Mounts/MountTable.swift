import CLibMount
import Libc
import Platform

/// The mounts of this process's namespace, read once through libmount.
package struct MountTable: Sendable {
    /// Mount points as this namespace names them, in the order of mounting.
    package let paths: [String]

    package static func current() throws(SystemError) -> MountTable {
        var text: UnsafeMutablePointer<CChar>?
        let count = try syscall("mountinfo", "/proc/thread-self/mountinfo") { cd_libmount_targets(&text) }
        guard let text else { return MountTable(paths: []) }
        defer { free(text) }
        var paths: [String] = []
        var start = text
        for _ in 0..<count {
            paths.append(String(cString: start))
            start += strlen(start) + 1
        }
        return MountTable(paths: paths)
    }

    package init(paths: [String]) { self.paths = paths }

    /// Mount points strictly below `path`.
    package func paths(below path: String) -> [String] {
        let prefix = path == "/" ? "/" : path + "/"
        return paths.filter { $0.hasPrefix(prefix) && $0 != path }
    }
}
