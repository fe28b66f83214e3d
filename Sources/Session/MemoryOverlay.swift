import Libc
import Mounts
import Platform
import Store

/// A root whose changes are kept in memory and vanish with the mount namespace (the kernel's overlayfs).
enum MemoryOverlay {
    /// Lays memory over a container's files, in this process's own mount namespace; what the two are together.
    ///
    /// The files of a container with users of its own are shown as theirs before the memory lies over them: overlayfs
    /// itself cannot do that.
    static func lay(
        over files: borrowing Directory, of plan: LaunchPlan, _ foundation: borrowing Holder.Foundation
    ) throws -> Directory {
        try mount("tmpfs", over: files, data: "mode=0755")
        // By its path, since the descriptor is of what the memory now covers.
        let memory = try plan.openFiles(in: foundation.layout)
        for directory in ["upper", "work", "root", "lower"] as [RawString] {
            try memory.makeDirectory(directory, mode: 0o755)
        }
        // The root of what they are together has the upper one's owner and permissions.
        let status = try files.status()
        var (owner, group) = (status.owner, status.group)
        let place = memory.descriptor.procPath
        var lower = files.descriptor.procPath
        if case .range(let range) = plan.boundary, let users = foundation.users {
            try foundation.interface.attachCopy(of: files, users: users, at: memory.openDirectory("lower"))
            lower = place + "/lower"
            (owner, group) = (range.host(owner), range.host(group))
        }
        try memory.setOwner("upper", owner, group)
        try memory.setPermissions("upper", status.permissions)
        try mount(
            "overlay", over: try memory.openDirectory("root"),
            data: "lowerdir=\(lower),upperdir=\(place)/upper,workdir=\(place)/work")
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
