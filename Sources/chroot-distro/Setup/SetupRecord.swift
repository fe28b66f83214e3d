import Libc
import Platform

/// What setup has changed on this machine, so that it can be undone: `/etc/chroot-distro/setup.json`.
///
/// Each change is written down before it is made. After a kill in between the record names what may not have
/// happened, and undoing looks at what is there.
struct SetupRecord: Codable, Equatable {
    var schema = 1
    /// Whether the group was not there before.
    var madeGroup = false
    /// Whom setup put into the group.
    var addedUsers: [String] = []
    /// Whether `/etc/doas.conf` was not there before.
    var madeDoasConfiguration = false

    static let folder: HostPath = "/etc/chroot-distro"
    private static let file: RawString = "setup.json"
    static let path = folder / "setup.json"

    /// `nil` when nothing was set up.
    static func read(in folder: borrowing Directory) throws -> SetupRecord? {
        guard try folder.statusIfPresent(file) != nil else { return nil }
        let bytes = try folder.readFile(file, limit: 1 << 16)
        guard let record = try? JSONDecoder().decode(SetupRecord.self, from: bytes), record.schema == 1
        else {
            throw SetupError.damagedRecord(path)
        }
        return record
    }

    func write(in folder: borrowing Directory) throws {
        let bytes = try JSONEncoder(isIndented: true).encode(self)
        try folder.replaceFile(Self.file, with: bytes + [UInt8(ascii: "\n")])
    }

    static func erase(in folder: borrowing Directory) throws(SystemError) {
        guard try folder.statusIfPresent(file) != nil else { return }
        try folder.removeFile(file)
    }

    private static let lockFile: RawString = ".setup.lock"

    /// Does something as the only setup at work, by a lock that does not outlast it.
    static func alone(in folder: borrowing Directory, _ body: () throws -> Void) throws {
        guard let lock = try FileLock.attempt(folder, lockFile, .exclusive),
            try lock.isCurrent(in: folder, lockFile)
        else { throw SetupError.busy }
        let result = Result { try body() }
        try? folder.removeFile(lockFile)
        lock.release()
        try result.get()
    }
}
