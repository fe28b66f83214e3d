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

    /// Waits until a program of that name runs in a container below `path`: a guest's shell has started it, and it has
    /// its place in the terminal's foreground or background.
    @discardableResult
    package static func appearance(of name: String, inMountsOf path: HostPath) throws -> Processes {
        var found: Processes?
        try Waiting.require("\(name) runs") {
            found = inMounts(of: path).first { $0.name == name }
            return found != nil
        }
        guard let found else { throw Run.Failure(description: "\(name) does not run") }
        return found
    }

    /// Every process with exactly this command line.
    package static func withCommand(_ words: String...) -> [Processes] {
        let line = words.map { $0 + "\0" }.joined()
        return all().filter { read("/proc/\($0.pid)/cmdline") == line }
    }

    /// Every process with `text` in its command line.
    package static func withArgument(_ text: String) -> [Processes] {
        all().filter { read("/proc/\($0.pid)/cmdline").contains(text) }
    }

    /// The supervisors and holders of a store below `path`: who has the file of the sessions' locks open.
    package static func ofSessions(below path: HostPath) -> [Processes] {
        let name = HostPath(BuiltBinary.path).lastComponent
        return all().filter { process in
            guard process.pid != getpid(), process.name == "cd-holder" || name.hasPrefix(process.name) else {
                return false
            }
            let folder = "/proc/\(process.pid)/fd"
            let files = (try? Directory.open(HostPath(folder)).entries()) ?? []
            return files.contains { entry in
                let file = link("\(folder)/\(entry.name.text)") ?? ""
                return file.hasPrefix(path.rawValue + "/") && file.hasSuffix("/sessions.lock")
            }
        }
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
