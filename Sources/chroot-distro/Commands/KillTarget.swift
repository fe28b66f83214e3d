import CLI
import Platform
import Session
import Store

/// What `kill` and `stop` are given: the name of a container, or the number of a session.
enum KillTarget {
    case container(ContainerName)
    case session(Int32, ContainerName)

    /// A container whose name is a number wins over a session with that number.
    init(_ word: String, _ context: borrowing Context) throws {
        let store = try context.store()
        if let name = try? ContainerName(word),
            try store.contains(name) || SessionRegistry.isRunning(name, in: context.layout)
        {
            self = .container(name)
            return
        }
        if let pid = Int32(word), pid > 0 {
            for name in try context.known() {
                let sessions = SessionRegistry.read(name, in: context.layout)?.openSessions() ?? []
                guard sessions.contains(where: { $0.pid == pid }) else { continue }
                self = .session(pid, name)
                return
            }
            throw SessionNotFound(pid: pid)
        }
        do { throw try store.notInstalled(try ContainerName(word)) } catch let error as NameError {
            throw UsageError(error.message, hint: error.hint)
        }
    }

    var name: ContainerName {
        switch self {
        case .container(let name), .session(_, let name): name
        }
    }
}

/// No session has that number.
struct SessionNotFound: UserFacing {
    let pid: Int32
    var message: String { "no session has the process number \(pid)" }
    var hint: String? { "See the sessions with: chroot-distro ps" }
}
