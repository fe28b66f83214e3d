import Libc
import Platform

/// The ways to become root, and whether the way without a password is safe.
enum ElevationExamination {
    static func findings(_ caller: Caller, isRoot: Bool) -> [Finding] {
        let tools = tools(caller)
        var findings = [judge(tools.map(\.name), host: caller.host)]
        if isRoot { findings += setup() }
        return findings
    }

    /// A tool that makes somebody root.
    struct Tool: Encodable, Equatable {
        let name: String
        let path: String
    }

    /// Those that are installed, in the order in which they are tried.
    static func tools(_ caller: Caller) -> [Tool] {
        let search = ProgramSearch.suitable(on: caller.host, environment: caller.environment)
        let order = ElevationPlan.order(onTermux: caller.host.termux != nil, prefersSudo: false)
        return order.compactMap { tool in
            let places = tool == .su && caller.host.termux != nil ? SuFeatures.places : []
            let path = places.first(where: ProgramSearch.isProgram) ?? search.find(tool.rawValue)
            return path.map { Tool(name: tool.rawValue, path: $0.rawValue) }
        }
    }

    static func judge(_ tools: [String], host: HostSystem) -> Finding {
        if tools.isEmpty {
            let error = ElevationError.noTool(host)
            return Finding(
                "elevation.tools", .warning, "there is no way to become root",
                because: "commands have to be run by root", remedy: error.hint)
        }
        return Finding("elevation.tools", .ok, "users become root by \(tools.joined(separator: ", "))")
    }

    /// What `setup` has written, and whether it is still safe.
    private static func setup() -> [Finding] {
        [SudoersRule.path, DoasRule.path].flatMap { path in
            programs(in: HostText.text(path) ?? "").map { judge($0, in: path, flaw: flaw(of: $0)) }
        }
    }

    /// The programs that members of the group may run as root, by a text of sudoers(5) or doas.conf(5).
    static func programs(in rules: String) -> [HostPath] {
        rules.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.contains("%\(Setup.group)") || words.contains(":\(Setup.group)"), words.first != "#",
                let program = words.last, program.hasPrefix("/")
            else { return nil }
            return HostPath(String(program))
        }
    }

    private static func flaw(of program: HostPath) -> (any UserFacing)? {
        do { try RootOnlyPath.check(program, .regular) } catch { return error as? any UserFacing }
        return nil
    }

    static func judge(_ program: HostPath, in file: HostPath, flaw: (any UserFacing)?) -> Finding {
        let id = "elevation.setup"
        guard let flaw else {
            return Finding(id, .ok, "the group \(Setup.group) runs \(program) without a password (\(file))")
        }
        if case RootOnlyPath.Flaw.unreadable(_, let error) = flaw, error.code == ENOENT {
            return Finding(
                id, .warning, "the rule in \(file) is for \(program), which is not there",
                because: "whoever may put a program there becomes root",
                remedy: "chroot-distro setup, or chroot-distro setup --uninstall")
        }
        return Finding(
            id, .problem, "whoever can replace \(program) becomes root, and \(flaw.message)",
            because: "the rule in \(file) lets the group run it without a password", remedy: flaw.hint)
    }
}
