import Archive
import Libc
import Platform

/// What lies in the cache beside the image store: files of older versions and of the Python program, which on Termux
/// has the same place.
enum CacheLeftovers {
    /// What builds of the Python program keep.
    static let builds: Set<RawString> = [
        "build_cache_index.json", "build_cache_index.json.lock", "build-run-cache",
    ]

    /// All of it, but for downloads, which are told by their names.
    static let everything: Set<RawString> = builds.union(["oci_layers", "oci_manifests"])

    /// Removes `names`, and with `everything` also downloads of archives that nobody is at; how many bytes that frees.
    static func remove(
        _ names: Set<RawString>, from cache: borrowing Directory, onRemove: (RawString) -> Void
    ) throws -> Int64 {
        var bytes: Int64 = 0
        for entry in try cache.entries() {
            let isDownload = names == everything && isIdleDownload(entry.name, in: cache)
            guard names.contains(entry.name) || isDownload else { continue }
            bytes += try size(entry.name, in: cache)
            onRemove(entry.name)
            do { try TreeRemoval().remove(entry.name, from: cache) } catch { throw error.cause }
        }
        return bytes
    }

    private static func isIdleDownload(_ name: RawString, in cache: borrowing Directory) -> Bool {
        if name.text.hasPrefix("dl_install_") { return true }
        guard name.text.hasPrefix("url_"), let file = try? cache.openFile(name, O_RDONLY | O_NONBLOCK) else {
            return false
        }
        return flock(file.rawValue, LOCK_EX | LOCK_NB) == 0
    }

    /// Bytes on the disk of a file, or of a directory and the files in it and one level below.
    private static func size(
        _ name: RawString, in folder: borrowing Directory, depth: Int = 0
    ) throws(SystemError) -> Int64 {
        guard let status = try folder.statusIfPresent(name) else { return 0 }
        guard status.kind == .directory, depth < 64 else { return status.blocks * 512 }
        let inner = try folder.openDirectory(name)
        var sum = status.blocks * 512
        for entry in try inner.entries() { sum += try size(entry.name, in: inner, depth: depth + 1) }
        return sum
    }
}
