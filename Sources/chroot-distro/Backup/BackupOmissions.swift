import Archive
import CLI
import Platform

/// What a backup could not take, to be told at the end.
struct BackupOmissions {
    private var sockets = 0
    private var vanished = 0
    private var changed: [RawString] = []
    private var moved: [RawString] = []
    private var mountPoints: [RawString] = []
    /// The first that may not be read.
    private(set) var unreadable: (RawString, SystemError)?

    mutating func note(_ path: RawString, _ omission: TreeReader.Omission) {
        switch omission {
        case .socket: sockets += 1
        case .vanished: vanished += 1
        case .changed: changed.append(path)
        case .moved: moved.append(path)
        case .mountPoint: mountPoints.append(path)
        case .unreadable(let error): if unreadable == nil { unreadable = (path, error) }
        }
    }

    func tell(_ diagnostics: Diagnostics) {
        if sockets > 0 {
            diagnostics.info("Left out: \(sockets) socket(s), which only live with their programs")
        }
        if vanished > 0 { diagnostics.warning("\(vanished) file(s) vanished meanwhile and were left out") }
        if let first = changed.first {
            diagnostics.warning(
                "\(changed.count) file(s) changed while they were read, and may be copied half; one is \(first)"
            )
        }
        if let first = moved.first {
            diagnostics.warning(
                "\(moved.count) director(ies) were moved before all of them was read, and may be incomplete; one is \(first)"
            )
        }
        if let first = mountPoints.first {
            diagnostics.warning(
                "\(mountPoints.count) place(s) were left out, since something is mounted there; one is \(first)"
            )
        }
    }
}
