import CLinux
import Libc

/// What the file system below a directory can do, found out by doing it there and leaving nothing.
package enum FileSystemTrial {
    /// Whether a mount of this directory can show its owners shifted (mount_setattr(2), MOUNT_ATTR_IDMAP).
    ///
    /// Only root may ask. The mount exists in no namespace and goes with its descriptor.
    package static func idmap(of directory: borrowing Directory) -> Trial {
        do {
            let ready = try Pipe()
            let end = try Pipe()
            // The other user namespace lives as long as this child, which waits for the end of a pipe.
            let (readyWrite, endRead, endWrite) = (ready.raw.writing, end.raw.reading, end.raw.writing)
            let child = try Fork.child {
                close(endWrite)
                guard cd_unshare(cd_clone_newuser) == 0 else { return ExitStatus(code: errno) }
                var byte: UInt8 = 1
                _ = write(readyWrite, &byte, 1)
                _ = read(endRead, &byte, 1)
                return .success
            }
            let readyEnd = ready.readEnd()
            let endEnd = end.writeEnd()
            var byte: [UInt8] = [0]
            let count = try byte.withUnsafeMutableBytes { buffer throws(SystemError) in
                try readyEnd.read(into: buffer)
            }
            let result = count == 1 ? shift(directory, byNamespaceOf: child) : Trial.notTried
            try endEnd.close()
            let status = try Reaping.wait(for: child)
            return count == 1 ? result : .refused(status.code)
        } catch { return .refused((error as? SystemError)?.code ?? EIO) }
    }

    private static func shift(_ directory: borrowing Directory, byNamespaceOf child: pid_t) -> Trial {
        do {
            for map in ["uid_map", "gid_map"] {
                let file = try FileDescriptor.open(HostPath("/proc/\(child)/\(map)"), O_WRONLY)
                try file.writeAll("0 100000 65536\n")
            }
            let namespace = try FileDescriptor.open(HostPath("/proc/\(child)/ns/user"), O_RDONLY)
            let raw = directory.raw
            let tree = FileDescriptor(
                adopting: try syscall("open_tree") { cd_open_tree_clone(raw, "", false) })
            try syscall("mount_setattr") {
                cd_mount_setattr(tree.rawValue, "", false, UInt64(cd_mount_idmap), 0, 0, namespace.rawValue)
            }
            return .works
        } catch { return .refused(error.code) }
    }

    /// Whether an overlay can have its upper layer here; makes the directories `lower`, `upper` and `work` in
    /// `directory`, which the caller removes with whatever the kernel puts into them.
    package static func overlay(in directory: borrowing Directory) throws(SystemError) -> Trial {
        for name in ["lower", "upper", "work"] as [RawString] {
            try directory.makeDirectory(name, mode: 0o700)
        }
        let raw = directory.raw
        return Trial {
            // By way of the descriptor: a path of the host may have characters that separate options.
            let place = "/proc/self/fd/\(raw)"
            let options = "lowerdir=\(place)/lower,upperdir=\(place)/upper,workdir=\(place)/work"
            guard cd_unshare(cd_clone_newns) == 0,
                mount("none", "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) == 0
            else { return errno }
            let result = options.withCString { mount("overlay", "\(place)/lower", "overlay", 0, $0) }
            return result == 0 ? 0 : errno
        }
    }
}
