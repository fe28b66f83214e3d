import Platform
import TestSupport

/// A tree with every kind of file, name, time and attribute there is.
enum EveryFile {
    /// What is never copied.
    static let specials = ["./null", "./fifo", "./socket"]

    /// Makes the tree at `path`, with device, FIFO and socket only when asked.
    static func make(at path: HostPath, specials: Bool = false) throws {
        try Run.succeeding("python3", ["-c", script, path.rawValue, specials ? "1" : ""])
    }

    private static let script = """
        import os, socket, stat, struct, sys
        root = os.fsencode(sys.argv[1])
        os.makedirs(root)
        os.chdir(root)
        def write(name, data=b"data", mode=0o644):
            with open(name, "wb") as file: file.write(data)
            os.chmod(name, mode)
        write(b"plain"); write(b"empty", b""); write(b"big", os.urandom(3 << 20))
        write(b"setuid", mode=0o4755); write(b"setgid", mode=0o2755); write(b"closed", mode=0)
        write(b"\\xff\\xfenot utf-8"); write(b"new\\nline"); write(b"esc\\x1b[31m"); write(b"n" * 255); write(b" -rf *")
        write(b"owned"); os.chown(b"owned", 12345, 54321)
        write(b"link1", b"linked"); os.link(b"link1", b"link2")
        os.makedirs(b"deep/er/est"); os.link(b"link1", b"deep/er/link3")
        os.makedirs(b"empty directory"); os.makedirs(b"sticky"); os.chmod(b"sticky", 0o3777); os.makedirs(b"shut"); write(b"shut/in"); os.chmod(b"shut", 0o500)
        os.symlink(b"plain", b"to plain"); os.symlink(b"/etc/passwd", b"absolute"); os.symlink(b"nowhere", b"dangling")
        os.symlink(b"../../../../../../etc", b"deep/climbing"); os.symlink(b"x" * 4000, b"long"); os.lchown(b"dangling", 7, 8)
        with open(b"holes", "wb") as file:
            file.write(b"a"); file.seek(5 << 20); file.write(b"b"); file.truncate(9 << 20)
        os.setxattr(b"plain", "user.note", b"a\\0b"); os.setxattr(b"deep", "user.note", b"d"); os.setxattr(b"plain", "trusted.mark", b"t")
        os.setxattr(b"big", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
        acl = struct.pack("<I", 2)
        for tag, permissions, who in ((1, 6, 0xffffffff), (2, 6, 1000), (4, 4, 0xffffffff), (16, 6, 0xffffffff), (32, 4, 0xffffffff)):
            acl += struct.pack("<HHI", tag, permissions, who)
        os.setxattr(b"owned", "system.posix_acl_access", acl)
        os.setxattr(b"deep/er", "system.posix_acl_default", acl)
        if sys.argv[2]:
            os.mkfifo(b"fifo"); os.mknod(b"null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            socket.socket(socket.AF_UNIX).bind(b"socket")
        for path, directories, names in os.walk(b".", topdown=False):
            for name in names:
                os.utime(os.path.join(path, name), ns=(10**18, 10**18 + len(name)), follow_symlinks=False)
            os.utime(path, ns=(10**18, 1234567890123456789))
        os.utime(b"empty", ns=(0, -86400 * 365 * 10**9 + 1)); os.utime(b"plain", ns=(0, 4102444800 * 10**9 + 999999999))
        os.utime(b".", ns=(10**18, 1234567890123456789))
        """
}
