import Libc
import Platform

/// All that a tree of files is made of, as text to be compared line by line.
package enum TreeListing {
    /// One line for each entry: name, type and mode, owner, time in nanoseconds, the hard links that it is one of,
    /// content (a digest, a target or a device number) and extended attributes.
    ///
    /// `besides` are names relative to the root, such as `./etc`, that are left out, but not what is below them.
    package static func of(_ root: HostPath, besides: [String] = []) throws -> [Substring] {
        try Run.succeeding("python3", ["-c", script, root.rawValue] + besides).split(separator: "\n")
    }

    private static let script = """
        import hashlib, os, stat, sys
        root, besides, links = sys.argv[1], set(sys.argv[2:]), {}

        def walk(path):
            yield path
            if stat.S_ISDIR(os.lstat(path).st_mode):
                for name in sorted(os.listdir(path)):
                    yield from walk(path + "/" + name)

        for path in walk(root):
            name, status = "." + path[len(root):], os.lstat(path)
            content, group = "", "alone"
            if stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(open(path, "rb").read()).hexdigest()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
                content = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                group = f"{status.st_nlink} with {links.setdefault(status.st_ino, name)}"
            names = sorted(os.listxattr(path, follow_symlinks=False))
            marks = [(mark, os.getxattr(path, mark, follow_symlinks=False).hex()) for mark in names]
            if name not in besides:
                print(repr(name), oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime_ns, group,
                      repr(content), marks)
        """
}
