import Archive
import Libc
import Platform

/// Where things go to be deleted: a name in here is never used again.
struct Trash: ~Copyable {
    private let directory: Directory

    init(in data: borrowing Directory) throws(SystemError) {
        directory = try data.openOrMakeDirectory("trash", mode: 0o700)
    }

    /// Moves an entry here and returns its new name.
    func take(_ name: RawString, from source: borrowing Directory) throws(SystemError) -> RawString {
        let thrown = RawString("\(name.text).\(UInt64.random(in: 0 ... .max))")
        try source.rename(name, to: directory, thrown, .failIfTaken)
        return thrown
    }

    /// The same; `nil` when there is no such entry.
    func takeIfPresent(_ name: RawString, from source: borrowing Directory) throws(SystemError) -> RawString?
    {
        do { return try take(name, from: source) } catch  where error.code == ENOENT { return nil }
    }

    /// Deletes an entry; something mounted inside stops it.
    func delete(_ thrown: RawString, name: ContainerName, onDelete: ((RawString) -> Void)? = nil) throws {
        do throws(TreeRemovalError) {
            let tell = onDelete.map { tell in { (path: GuestPath) in tell(path.absolute) } }
            try TreeRemoval(onDelete: tell).remove(thrown, from: directory)
        } catch {
            if error.isMount { throw StoreError.mountInside(name, error.path) }
            throw error.cause
        }
    }

    /// Deletes all that killed commands left here; what cannot be deleted stays for the next sweep.
    func sweep() throws {
        for entry in try directory.entries() {
            try? TreeRemoval().remove(entry.name, from: directory)
        }
    }
}
