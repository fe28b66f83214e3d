import CLinux
import Libc

/// What the invoking user's process hands to the one that runs as root.
///
/// It lies in a sealed memfd of the invoking process, which waits for the other to end: nothing secret is on a
/// command line or on a disk, nobody can change it any more, and it goes with the process, however that ends.
package struct Handoff: Hashable, Sendable {
    /// The program's arguments.
    package var arguments: [RawString]
    package var workingDirectory: RawString
    /// The variables that the program heeds, as they were for the invoking user.
    package var environment: Environment
    /// Variables that describe the invoking user and would be wrong for root: `HOME` and `XDG_RUNTIME_DIR`.
    package var remembered: Environment
    /// The descriptor of the invoking process through which it says that the other shall end.
    package var relay: Int32
    /// Who invoked the program; the kernel's word for it, not the environment's.
    package var invokingUID: uid_t

    package init(
        arguments: [RawString], workingDirectory: RawString, environment: Environment, relay: Int32,
        invokingUID: uid_t
    ) {
        self.arguments = arguments
        self.workingDirectory = workingDirectory
        self.environment = environment.filter { HandoffVariables.crossing($0) == .applied }
        remembered = environment.filter { HandoffVariables.crossing($0) == .remembered }
        self.relay = relay
        self.invokingUID = invokingUID
    }

    // MARK: - As bytes

    private static let magic: RawString = "chroot-distro handoff 1"

    /// Fields that each end with NUL: a mark, the relay, the directory, the number of arguments, the arguments and
    /// the variables.
    package func encoded() -> [UInt8] {
        let variables = environment.merging(remembered).entries
        let head: [RawString] = [
            Self.magic, RawString("\(relay)"), workingDirectory, RawString("\(arguments.count)"),
        ]
        return (head + arguments + variables).flatMap { $0.bytes + [0] }
    }

    /// `nil` for bytes that are not a whole handoff; variables that may not cross are dropped.
    package init?(decoding bytes: [UInt8], invokingUID: uid_t) {
        guard bytes.last == 0 else { return nil }
        let fields = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
            .compactMap { RawString(bytes: $0) }
        guard fields.count >= 4, fields[0] == Self.magic, let relay = Int32(fields[1].text),
            let count = Int(fields[3].text), count >= 0, count <= fields.count - 4
        else { return nil }
        self.init(
            arguments: Array(fields[4..<(4 + count)]), workingDirectory: fields[2],
            environment: Environment(entries: fields[(4 + count)...]), relay: relay, invokingUID: invokingUID)
    }

    /// The bytes in a memfd that nobody can write to, resize or unseal.
    package func sealed() throws(SystemError) -> FileDescriptor {
        let file = FileDescriptor(adopting: try syscall("memfd_create") { cd_memfd("chroot-distro-handoff") })
        try file.writeAll(encoded())
        try syscall("fcntl") { cd_memfd_seal(file.rawValue) }
        return file
    }

    // MARK: - In the process that is root

    /// Goes where the user was; when root cannot enter that directory, to `/`, and says why.
    package func enterWorkingDirectory() -> SystemError? {
        do {
            try syscall("chdir", workingDirectory.description) { workingDirectory.withCString { chdir($0) } }
            return nil
        } catch {
            _ = chdir("/")
            return error
        }
    }

    /// The variables for this process and its libraries: what crossed over, on top of root's own few.
    ///
    /// Of `current`, which the elevation tool may have let through from anybody, only what Termux needs is kept.
    package func processEnvironment(current: Environment, on host: HostSystem) -> Environment {
        var result = Environment()
        let root = HostUsers.user(withID: 0)
        result["PATH"] = ProgramSearch.trusted(on: host).path
        result["HOME"] = root?.home ?? "/root"
        result["USER"] = "root"
        result["LOGNAME"] = "root"
        if let termux = host.termux {
            result["HOME"] = RawString(TermuxSession.rootHome(of: termux).rawValue)
            for name in ["PREFIX", "TMPDIR", "LD_PRELOAD"] as [RawString] { result[name] = current[name] }
        }
        return result.merging(environment)
    }

    /// The person behind the process; their home is what their environment said, else what the accounts say.
    package func invokingUser(accounts: InvokingUser.Accounts = .host) -> InvokingUser {
        let account = accounts.byID(invokingUID)
        return InvokingUser(uid: invokingUID, name: account?.name, home: remembered["HOME"] ?? account?.home)
    }
}
