import Libc
import Platform

/// All processes as the host's `/proc` shows them at one moment.
///
/// A number alone may be another's by the time it is signalled, so it is compared with the start time from here once
/// the process is held.
struct ProcessTable {
    private let processes: [pid_t: ProcessStatus]

    /// Looks at every process; those that have ended are left out.
    init() throws(SystemError) {
        var processes: [pid_t: ProcessStatus] = [:]
        for entry in try Directory.open("/proc").entries() {
            guard let pid = pid_t(entry.name.text), let status = ProcessStatus(of: pid), !status.hasEnded
            else { continue }
            processes[pid] = status
        }
        self.init(processes)
    }

    /// For tests: as if these were all.
    init(_ processes: [pid_t: ProcessStatus]) { self.processes = processes }

    /// Whether the process that has the number now is the one that had it then, and still runs.
    func isStill(_ pid: pid_t) -> Bool {
        guard let now = ProcessStatus(of: pid), !now.hasEnded else { return false }
        return now.startTime == processes[pid]?.startTime
    }

    func contains(_ pid: pid_t) -> Bool { processes[pid] != nil }

    /// The command of each of the sessions, by the number of its supervisor: its oldest child but the holder.
    func guests(of supervisors: [ProcessIdentity], except holder: pid_t?) -> [pid_t: pid_t] {
        var found: [pid_t: (pid: pid_t, start: UInt64)] = [:]
        for (pid, status) in processes where pid != holder {
            guard
                supervisors.contains(where: {
                    $0.pid == status.parent && $0.startTime == processes[$0.pid]?.startTime
                })
            else { continue }
            // What a guest left behind is its supervisor's child too, but younger.
            if let other = found[status.parent], (other.start, other.pid) < (status.startTime, pid) {
                continue
            }
            found[status.parent] = (pid, status.startTime)
        }
        return found.mapValues(\.pid)
    }

    /// All processes that descend from the given ones, but not one and what is below it.
    func descendants(of roots: some Sequence<pid_t>, except pruned: pid_t? = nil) -> [pid_t] {
        let children = Dictionary(grouping: processes.keys) { processes[$0]?.parent ?? 0 }
        var found: [pid_t] = []
        var waiting = Array(roots)
        while let next = waiting.popLast() {
            let below = (children[next] ?? []).filter { $0 != pruned }
            found += below
            waiting += below
        }
        return found
    }
}
