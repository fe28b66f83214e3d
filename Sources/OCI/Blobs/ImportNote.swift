import Libc
import Platform

/// A note in the store that an import is under way, and of what was there before it.
///
/// It is locked (flock(2)) as long as its process lives. One that is left behind tells what a killed import may have
/// brought, which no name leads to and nobody would ever go on with.
struct ImportNote: ~Copyable {
    private let file: FileDescriptor
    private let folder: Directory
    private let name: RawString

    private static let prefix = "import-"
    /// Bytes that a note may have: a line for each blob of a very large store.
    private static let limit = 64 << 20

    private init(_ name: RawString, _ file: consuming FileDescriptor, in folder: consuming Directory) {
        self.file = file
        self.folder = folder
        self.name = name
    }

    static func make(_ before: Set<Digest>, in store: borrowing ImageLayout) throws -> ImportNote {
        let name = RawString("\(prefix)\(getpid())-\(UInt64.random(in: 0 ... .max))")
        let file = try store.ingest.openFile(name, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        let raw = file.rawValue
        try syscall("flock") { flock(raw, LOCK_EX) }
        // The last line says that the note is whole: without it, it tells nothing.
        try file.writeAll(before.map { "\($0)\n" }.joined() + end)
        return ImportNote(name, file, in: try store.ingest.duplicate())
    }

    private static let end = "end\n"

    /// The import has come to its own end, whatever that is.
    consuming func remove() { try? folder.removeFile(name) }

    /// What a killed import brought is taken out again, as far as no name leads to it.
    ///
    /// False when that has to wait: the import lives, or the store is in use.
    static func settle(_ name: RawString, in store: borrowing ImageLayout) throws -> Bool {
        let file = try store.ingest.openFile(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { return false }
        let text = String(decoding: try file.readAll(limit: limit), as: UTF8.self)
        // One that is not whole is older than anything that was brought.
        guard text.hasSuffix(end) else { return true }
        let before = Set(text.split(separator: "\n").compactMap { try? Digest(String($0)) })
        return try store.discardNew(since: before)
    }

    static func isNote(_ name: RawString) -> Bool { name.text.hasPrefix(prefix) }
}

extension ImageLayout {
    /// Uses the store for `body`, and then takes out again what was not there before and belongs to no image.
    package func bringing<Value>(_ body: () throws -> Value) throws -> Value {
        let use = try beginUse()
        let before = try digests()
        let note = try ImportNote.make(before, in: self)
        let result = Result { try body() }
        use.release()
        // It may have become part of another process's image, so the names decide. Where the store is in use, the next
        // command looks again.
        if (try? discardNew(since: before)) == true { note.remove() }
        return try result.get()
    }

    /// Discards what has come since there was only `before`; false while another process uses the store.
    fileprivate func discardNew(since before: Set<Digest>) throws -> Bool {
        guard let sole = try claimIfFree() else { return false }
        try sole.discard(digests().subtracting(before))
        return true
    }

    /// Takes out what killed imports brought and nobody else uses.
    package func sweepImports() throws {
        for entry in try ingest.entries() where entry.kind == .regular && ImportNote.isNote(entry.name) {
            let isSettled = try ImportNote.settle(entry.name, in: self)
            if isSettled { try? ingest.removeFile(entry.name) }
        }
    }
}
