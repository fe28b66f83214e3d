import Archive
import CLI
import Platform

/// What a backup could not take, to be told at the end.
struct BackupOmissions {
    /// How many there are, and which one came first.
    private struct Places {
        private(set) var count = 0
        private(set) var first: RawString = ""

        mutating func note(_ path: RawString) {
            if count == 0 { first = path }
            count += 1
        }
    }

    private var sockets = 0
    private var vanished = 0
    private var changed = Places()
    private var moved = Places()
    private var mountPoints = Places()
    /// The first that may not be read.
    private(set) var unreadable: (RawString, SystemError)?

    mutating func note(_ path: RawString, _ omission: TreeReader.Omission) {
        switch omission {
        case .socket: sockets += 1
        case .vanished: vanished += 1
        case .changed: changed.note(path)
        case .moved: moved.note(path)
        case .mountPoint: mountPoints.note(path)
        case .unreadable(let error): if unreadable == nil { unreadable = (path, error) }
        }
    }

    func tell(_ diagnostics: Diagnostics) {
        if sockets > 0 {
            diagnostics.info("Left out: \(sockets) socket(s), which only live with their programs")
        }
        if vanished > 0 { diagnostics.warning("\(vanished) file(s) vanished meanwhile and were left out") }
        if changed.count > 0 {
            diagnostics.warning(
                "\(changed.count) file(s) changed while they were read, and may be copied half; one is "
                    + "\(changed.first)")
        }
        if moved.count > 0 {
            diagnostics.warning(
                "\(moved.count) director(ies) were moved before all of them was read, and may be incomplete; one is "
                    + "\(moved.first)")
        }
        if mountPoints.count > 0 {
            diagnostics.warning(
                "\(mountPoints.count) place(s) were left out, since something is mounted there; one is "
                    + "\(mountPoints.first)")
        }
    }
}
