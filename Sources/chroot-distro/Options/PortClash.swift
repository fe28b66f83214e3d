import CLI
import Libc
import Platform
import Session
import Store

/// A port that an image says its program listens on (`ExposedPorts` of the image specification): `80/tcp`, `8000-8010`.
struct ExposedPort: Hashable {
    let ports: ClosedRange<UInt16>
    /// `tcp` or `udp`; what has another one is not known to `/proc/net`.
    let `protocol`: String

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let ends = (parts.first ?? "").split(separator: "-", omittingEmptySubsequences: false).map {
            UInt16($0)
        }
        guard (1...2).contains(parts.count), (1...2).contains(ends.count), let first = ends[0],
            let last = ends[ends.count - 1], first > 0, first <= last
        else { return nil }
        let name = parts.count == 2 ? parts[1].lowercased() : "tcp"
        guard ["tcp", "udp"].contains(name) else { return nil }
        ports = first...last
        `protocol` = name
    }

    func matches(_ socket: ListeningSocket) -> Bool {
        ports.contains(socket.port) && socket.protocol.hasPrefix(`protocol`)
    }
}

/// Somebody who listens already where an image's program is about to: containers share the host's network.
struct PortClash {
    let port: UInt16
    let `protocol`: String
    /// `nil` when the process cannot be found, as that of another network's proxy.
    let process: pid_t?
    /// The container in which it is; `nil` for a process of the host.
    let container: ContainerName?

    /// Those for the ports of an image; nothing is looked at when it has none.
    static func all(_ exposed: [String], in context: borrowing Context) -> [PortClash] {
        let ports = exposed.compactMap(ExposedPort.init)
        guard !ports.isEmpty else { return [] }
        var seen: Set<String> = []
        let taken = ListeningSocket.all(of: "self").filter { socket in
            ports.contains { $0.matches(socket) }
                && seen.insert("\(socket.port)/\(socket.protocol.prefix(3))").inserted
        }
        guard !taken.isEmpty else { return [] }
        let owners = owners(of: Set(taken.map(\.inode)))
        let names = owners.isEmpty ? [] : (try? context.known()) ?? []
        return taken.map { socket in
            let process = owners[socket.inode]
            let container = names.first { name in
                guard let process, let members = try? Shutdown(name, in: context.layout).processes() else {
                    return false
                }
                return members.contains(process)
            }
            return PortClash(
                port: socket.port, protocol: String(socket.protocol.prefix(3)), process: process,
                container: container)
        }
    }

    private static func owners(of inodes: Set<UInt64>) -> [UInt64: pid_t] {
        var found: [UInt64: pid_t] = [:]
        for entry in (try? Directory.open("/proc").entries()) ?? [] where found.count < inodes.count {
            guard let pid = pid_t(entry.name.text) else { continue }
            for inode in ListeningSocket.inodes(of: pid).intersection(inodes) where found[inode] == nil {
                found[inode] = pid
            }
        }
        return found
    }

    var message: String {
        let command = process.flatMap { ProcessUsage(of: $0)?.command.first }
        let who = process.map { "process \($0)" + (command.map { " (\(Quoted($0)))" } ?? "") } ?? "somebody"
        let place = container.map { "in \($0)" } ?? "of this host"
        return "port \(port)/\(`protocol`), which the image names, is taken: \(who) \(place) listens there"
    }
}
