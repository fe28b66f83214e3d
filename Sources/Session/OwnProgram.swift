import Libc
import Platform
import Store

/// The file of this program, where the guest's root is the host's and few capabilities are all that stands between.
///
/// A program that is executed as `#!/proc/self/exe` is this one, and whoever has opened it by way of `/proc` can write
/// to it as soon as nobody runs it any more (CVE-2019-5736). The holder runs it as long as anybody is in the container.
enum OwnProgram {
    /// Refuses on a kernel that lets programs be written to while they run, as Linux 6.11 and 6.12 do.
    static func requireGuarded(for container: ContainerName) throws {
        let file = open("/proc/self/exe", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        close(file)
        throw LaunchError.inside(
            "\(container) cannot be isolated: this kernel lets a program be overwritten while it runs",
            hint:
                "Keep the store on a file system that can show files as another user's: ext4, xfs, btrfs or f2fs.",
            .failure)
    }

    /// Refuses to enter a container whose holder runs another file.
    static func requireSame(as holder: HolderRecord, for container: ContainerName) throws {
        func status(_ process: String) throws(SystemError) -> FileStatus {
            try FileDescriptor.open(HostPath("/proc/\(process)/exe"), O_RDONLY).status()
        }
        let (own, its) = (try status("self"), try status("\(holder.pid)"))
        guard own.device == its.device, own.inode == its.inode else {
            throw LaunchError.inside(
                "container \(container) was started by another file of this program, and is isolated by few capabilities only",
                hint: "Stop it first with: chroot-distro unmount \(container)", .failure)
        }
    }
}
