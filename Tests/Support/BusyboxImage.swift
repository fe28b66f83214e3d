import Libc
import Platform

/// A Linux system in three megabytes: the host's static busybox, two users and the usual directories.
package enum BusyboxImage {
    /// Where Debian's package `busybox-static` puts the program.
    package static let program = HostPath("/bin/busybox")

    /// The layer, uncompressed.
    ///
    /// `extra` adds members at the end.
    package static func layer(_ extra: (inout TarBuilder) -> Void = { _ in }) throws -> [UInt8] {
        let busybox = try FileDescriptor.open(program, O_RDONLY).readAll(limit: 64 << 20)
        var tar = TarBuilder()
        tar.addDirectories(
            "bin", "dev", "etc", "home", "home/user", "proc", "root", "run", "sys", "tmp", "usr", "var")
        tar.add("bin/busybox", content: busybox, mode: 0o755)
        for applet in try Run.succeeding(program.rawValue, ["--list"]).split(separator: "\n")
        where applet != "busybox" {
            tar.add("bin/\(applet)", .symbolicLink, target: "busybox")
        }
        tar.add(
            "etc/passwd",
            text: "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:User:/home/user:/bin/sh\n")
        tar.add("etc/group", text: "root:x:0:\nuser:x:1000:\nwheel:x:10:root,user\n")
        extra(&tar)
        return tar.archive
    }

    /// An OCI layout in `directory`/`name`, with one layer of its own over those of `layers`.
    package static func layout(
        in directory: HostPath, name: String = "busybox", layers: [[UInt8]] = [],
        configuration: String = #"{"Cmd":["/bin/sh"]}"#, _ extra: (inout TarBuilder) -> Void = { _ in }
    ) throws -> TestImage {
        try TestImage(
            at: directory / name, layers: [layer(extra)] + layers, configuration: configuration)
    }

    /// A plain root file system archive, uncompressed, at `directory`/`name`.
    package static func rootfsArchive(
        in directory: HostPath, name: String = "busybox.tar", _ extra: (inout TarBuilder) -> Void = { _ in }
    ) throws -> HostPath {
        let path = directory / name
        try TestImage.write(layer(extra), to: path)
        return path
    }
}
