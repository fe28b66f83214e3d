import Archive
import OCI
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

    /// Removes `names`, and with `everything` also what was being downloaded; how many bytes that frees.
    static func remove(
        _ names: Set<RawString>, from cache: borrowing Directory, onRemove: (RawString) -> Void
    ) throws -> Int64 {
        var bytes: Int64 = 0
        for entry in try cache.entries() {
            let isDownload = names == everything && entry.name.text.hasPrefix("dl_install_")
            guard names.contains(entry.name) || isDownload else { continue }
            bytes += try size(entry.name, in: cache)
            onRemove(entry.name)
            do { try TreeRemoval().remove(entry.name, from: cache) } catch { throw error.cause }
        }
        if names == everything { bytes += try URLDownloader.sweep(cache, onRemove: onRemove) }
        return bytes
    }

    /// Bytes on the disk of a file, or of a directory with all that is in it.
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
