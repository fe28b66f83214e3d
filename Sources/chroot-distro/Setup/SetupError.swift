import Platform

/// Why passwordless use was not set up; nothing was changed then.
enum SetupError: UserFacing, Hashable {
    case onTermux
    case oddPath(HostPath)
    case replaceable(String, hint: String?)
    case noTool
    case missing(String)
    case busy
    case oddUser(String)
    case noSuchUser(String)
    case rootNeedsNone
    case brokenConfiguration(HostPath, String)
    case notIncluded
    case foreignFile(HostPath)
    case brokenSection(HostPath)
    case damagedRecord(HostPath)
    case toolFailed(String, String)

    var message: String {
        switch self {
        case .onTermux: "there is nothing to set up on Termux: the root manager remembers what it was asked"
        case .oddPath(let path): "the program's path has characters that no rule can name: \(path)"
        case .replaceable(let reason, _):
            "whoever can replace the program would become root by the rule, and \(reason)"
        case .noTool: "neither sudo nor doas is installed"
        case .missing(let name): "the program \(name), which is needed for it, is not installed"
        case .busy: "another setup is at work"
        case .oddUser(let name): "\(Quoted(name)) cannot be the name of a user"
        case .noSuchUser(let name): "there is no user \(Quoted(name))"
        case .rootNeedsNone: "root needs no set-up"
        case .brokenConfiguration(let path, let reason): "\(path) is refused: \(reason)"
        case .notIncluded: "/etc/sudoers does not read the directory /etc/sudoers.d"
        case .foreignFile(let path): "\(path) is there already, and not from here"
        case .brokenSection(let path): "the lines of an earlier setup in \(path) are incomplete"
        case .damagedRecord(let path): "\(path) is damaged"
        case .toolFailed(let command, let reason): "\(command): \(reason)"
        }
    }

    var hint: String? {
        switch self {
        case .oddPath: "Install it where the path is made of letters, digits and . _ + - alone: make install"
        case .replaceable(_, let hint): hint.map { "\($0) · or install it anew, as root: make install" }
        case .noTool: "Install one of them; sudo is found in the package sudo, doas in opendoas or doas."
        case .noSuchUser: "Name one with: chroot-distro setup --user NAME"
        case .brokenConfiguration(let path, _):
            path.rawValue.hasPrefix("/etc/sudoers")
                ? "Repair it first; see what is wrong with: visudo -c"
                : "Repair it first; see what is wrong with: doas -C \(path)"
        case .notIncluded: "Add this line to it, with visudo: @includedir /etc/sudoers.d"
        case .foreignFile(let path): "Look at it, and move it away if it is not needed: \(path)"
        case .brokenSection(let path): "Take the rest of them out of \(path) by hand, then run this again."
        case .damagedRecord(let path): "Delete it: rm \(path)"
        case .onTermux, .missing, .busy, .oddUser, .rootNeedsNone, .toolFailed: nil
        }
    }
}
