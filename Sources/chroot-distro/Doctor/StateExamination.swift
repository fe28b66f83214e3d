import Mounts
import Platform
import Session
import Store

/// What killed sessions and crashes have left.
enum StateExamination {
    static func judge(_ census: RunCensus, installed: Set<ContainerName>) -> [Finding] {
        var findings: [Finding] = []
        let fix = "chroot-distro doctor --fix"
        for entry in census.entries {
            let name = entry.name.description
            if !installed.contains(entry.name), !entry.isAlive {
                findings.append(
                    Finding(
                        "state.forgotten", .note, "sessions are recorded of \(name), which is not installed",
                        because: "it is of no use", remedy: fix, subject: name, repair: .forget(entry.name)))
                continue
            }
            if entry.hasDeadHolder {
                findings.append(
                    Finding(
                        "state.dead-holder", .note, "\(name) is recorded as running, and its holder is dead",
                        because: "the next login sees that and starts anew", remedy: fix, subject: name,
                        repair: .heal(entry.name)))
            }
            if !entry.deadSessions.isEmpty {
                let pids = entry.deadSessions.map(String.init).joined(separator: ", ")
                findings.append(
                    Finding(
                        "state.dead-session", .note, "sessions of \(name) were killed: \(pids)",
                        because: "their records are left", remedy: fix, subject: name,
                        repair: .heal(entry.name)))
            }
        }
        if findings.isEmpty {
            let count = census.entries.count { $0.isAlive }
            findings.append(
                Finding(
                    "state.sessions", .ok,
                    "\(count) container\(count == 1 ? " runs" : "s run"), nothing is stale"))
        }
        return findings
    }

    /// Control groups of containers whose holder was killed.
    static func groups(_ installed: Set<ContainerName>, _ layout: StateLayout) -> [Finding] {
        installed.sorted().filter { Debris.isLeft(of: $0, in: layout) }.map { name in
            Finding(
                "state.control-group", .note, "the control group of \(name) is left, and nothing runs in it",
                because: "the next login takes it away", remedy: "chroot-distro doctor --fix",
                subject: name.description, repair: .group(name))
        }
    }

    /// Mounts below the containers that this namespace can see: ours are never in it.
    static func mounts(_ layout: StateLayout) -> [Finding] {
        guard let table = try? MountTable.current() else { return [] }
        let found = table.paths(below: (layout.data / "containers").rawValue)
        if found.isEmpty {
            return [Finding("state.mounts", .ok, "nothing is mounted in the containers' directories")]
        }
        return found.map { path in
            Finding(
                "state.mounts", .warning, "something is mounted on \(Quoted(path))",
                because: "this program never does that on the host; remove refuses to go there",
                remedy: "umount \(ShellWords.quote(path))", subject: Quoted(path).description)
        }
    }
}
