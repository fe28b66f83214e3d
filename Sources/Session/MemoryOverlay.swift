import Libc
import Platform
import Store

/// A root whose changes are kept in memory and vanish with the mount namespace (the kernel's overlayfs).
enum MemoryOverlay {
    /// Lays memory over a container's files, in this process's own mount namespace; what the two are together.
    static func lay(over rootfs: borrowing Directory, of name: ContainerName, in layout: StateLayout) throws
        -> Directory
    {
        try mount("tmpfs", over: rootfs, data: "mode=0755")
        // By its path, since the descriptor is of what the memory now covers.
        let memory = try ContainerStore.rootfsDirectory(of: name, in: layout)
        for directory in ["upper", "work", "root"] as [RawString] {
            try memory.makeDirectory(directory, mode: 0o755)
        }
        // The root of what they are together has the upper one's owner and permissions.
        let status = try rootfs.status()
        try memory.setOwner("upper", status.owner, status.group)
        try memory.setPermissions("upper", status.permissions)
        let place = memory.descriptor.procPath
        try mount(
            "overlay", over: try memory.openDirectory("root"),
            data: "lowerdir=\(rootfs.descriptor.procPath),upperdir=\(place)/upper,workdir=\(place)/work")
        return try memory.openDirectory("root")
    }

    private static func mount(_ type: String, over directory: borrowing Directory, data: String) throws {
        do {
            try syscall("mount", type) {
                Libc.mount(type, directory.descriptor.procPath, type, 0, data)
            }
        } catch {
            throw LaunchError.inside(
                "--rm needs \(type), which this kernel refuses: \(error.reason)", hint: "Leave --rm out.",
                .failure)
        }
    }
}
