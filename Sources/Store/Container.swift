import Libc
import Platform

/// One installed container: its root file system and what is known of its image.
package struct Container: ~Copyable {
    package let name: ContainerName
    package let directory: Directory

    /// The guest's root; open it once and pass it on.
    package func rootfs() throws(SystemError) -> Rootfs {
        Rootfs(adopting: try directory.openDirectory("rootfs"))
    }

    /// What `manifest.json` says; empty for a container that was made from a plain archive.
    package func manifest() throws -> ContainerManifest {
        do {
            let bytes = try directory.readFile("manifest.json", limit: ContainerManifest.sizeLimit)
            return try ContainerManifest(json: bytes)
        } catch let error as SystemError where error.code == ENOENT {
            return ContainerManifest()
        } catch let error as SystemError {
            throw StoreError.broken(name, reason: "manifest.json: \(error.reason)")
        } catch {
            throw StoreError.broken(name, reason: "manifest.json is not valid")
        }
    }
}
