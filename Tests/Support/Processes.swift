import Libc
import Platform

/// What runs on this machine, as far as tests ask.
package struct Processes {
    package let pid: pid_t
    /// The name that `ps` shows.
    package let name: String

    /// Every process of another mount namespace that has something from below `path` mounted.
    ///
    /// That is what a container's holder and its guests are, whatever they call themselves.
    package static func inMounts(of path: HostPath) -> [Processes] {
        let own = link("/proc/self/ns/mnt")
        return all().filter { process in
            guard let namespace = link("/proc/\(process.pid)/ns/mnt"), namespace != own else { return false }
            return Mountinfo.text(of: String(process.pid)).contains(path.lastComponent + "/")
        }
    }

    /// Every process whose command line has `text` in it.
    package static func withArgument(_ text: String) -> [Processes] {
        all().filter { read("/proc/\($0.pid)/cmdline").contains(text) }
    }

    package static func all() -> [Processes] {
        guard let directory = try? Directory.open("/proc"), let entries = try? directory.entries() else {
            return []
        }
        return entries.compactMap { entry in
            guard let pid = pid_t(entry.name.text) else { return nil }
            return Processes(pid: pid, name: String(read("/proc/\(pid)/comm").dropLast()))
        }
    }

    private static func read(_ path: String) -> String {
        guard let file = try? FileDescriptor.open(HostPath(path), O_RDONLY),
            let bytes = try? file.readAll(limit: 1 << 20)
        else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension Processes: CustomStringConvertible {
    package var description: String { "\(name) (\(pid))" }
}
