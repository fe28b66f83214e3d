import CLI
import Libc
import OCI
import Platform
import Session
import Store

extension Context {
    /// A new file for the caller, which must not exist yet.
    func newFile(_ path: HostPath) throws -> PendingFile {
        let owner = caller.owner.map { ($0.identity.user, $0.identity.group) }
        do throws(SystemError) { return try PendingFile(path, mode: 0o600, owner: owner) } catch {
            throw BackupError.cannotPublish(path, error)
        }
    }

    /// Lets a running container stand still while it is copied; `nil` when it does not run, or goes on.
    ///
    /// That it goes on is said. Forks, so it comes before any thread.
    func hold(_ name: ContainerName, isLive: Bool) throws -> Freeze? {
        let shutdown = Shutdown(name, in: layout)
        guard try shutdown.isNeeded() else { return nil }
        if !isLive, let freeze = try shutdown.freeze() {
            diagnostics.info("\(name) runs, and stands still meanwhile")
            return freeze
        }
        diagnostics.warning(
            "\(name) runs and goes on meanwhile: files that are written now may be copied half",
            hint: isLive ? nil : "Stop it first for a consistent copy: chroot-distro stop \(name)")
        return nil
    }

    /// Lets it go on.
    func letGo(_ freeze: consuming Freeze?) {}
}
