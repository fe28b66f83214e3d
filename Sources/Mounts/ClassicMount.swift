import CLibMount
import CLinux
import Libc
import Platform

/// Mounting by mount(2) through libmount, for kernels without mount objects.
///
/// Targets are open descriptors, named by their path under `/proc/self/fd`, so that nothing is resolved twice.
enum ClassicMount {
    static func mount(
        _ type: String, on target: borrowing FileDescriptor, _ options: String
    ) throws(SystemError) {
        try syscall("mount", type) { cd_libmount(type, target.procPath, type, options) }
    }

    static func bind(
        _ source: borrowing FileDescriptor, on target: borrowing FileDescriptor, _ options: BindOptions
    ) throws(SystemError) {
        try syscall("mount") {
            cd_libmount(source.procPath, target.procPath, nil, options.recursive ? "rbind" : "bind")
        }
        guard !options.attributes.isEmpty else { return }
        // The descriptor names what is covered; the mount on top is found by its place.
        guard let place = readLink(target.procPath) else { throw SystemError("readlink", code: ENOENT) }
        let below = options.recursive ? try MountTable.current().paths(below: place) : []
        for path in [place] + below {
            // A remount replaces the attributes, so those in force are named again.
            let status = try attributes(of: path)
            let wanted = status.union(options.attributes.set).subtracting(options.attributes.clear)
            try syscall("mount", Quoted(path).description) {
                cd_libmount(
                    nil, path, nil, (["remount", "bind"] + MountOption.words(wanted)).joined(separator: ","))
            }
        }
    }

    /// A source that holds the container has brought the container's own mounts along; they go again.
    static func dropOwnMounts(
        of root: borrowing Directory, from source: borrowing FileDescriptor,
        on target: borrowing FileDescriptor
    ) throws(SystemError) {
        guard let own = readLink(root.descriptor.procPath), let from = readLink(source.procPath),
            let place = readLink(target.procPath)
        else { throw SystemError("readlink", code: ENOENT) }
        let prefix = from == "/" ? from : from + "/"
        guard own.hasPrefix(prefix) else { return }
        let copy = place + "/" + String(decoding: own.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        // EINVAL: nothing is mounted there.
        guard umount2(copy, Int32(MNT_DETACH) | 8) == 0 || errno == EINVAL || errno == ENOENT else {
            throw SystemError("umount2", Quoted(copy).description, code: errno)
        }
    }

    static func mountOnItself(_ directory: borrowing Directory) throws(SystemError) -> Directory {
        guard let path = readLink(directory.descriptor.procPath) else {
            throw SystemError("readlink", code: ENOENT)
        }
        try bind(directory.descriptor, on: directory.descriptor, BindOptions(recursive: false))
        let allowed: MountAttributes = [.noSetuid, .noDevices, .noExecute]
        let wanted = try attributes(of: path).subtracting(allowed)
        try syscall("mount", Quoted(path).description) {
            cd_libmount(
                nil, path, nil, (["remount", "bind"] + MountOption.words(wanted)).joined(separator: ","))
        }
        return try Directory.open(HostPath(path))
    }

    static func makeReadOnly(_ root: borrowing Directory) throws(SystemError) {
        guard let path = readLink(root.descriptor.procPath) else {
            throw SystemError("readlink", code: ENOENT)
        }
        let wanted = try attributes(of: path).union(.readOnly)
        try syscall("mount", Quoted(path).description) {
            cd_libmount(
                nil, path, nil, (["remount", "bind"] + MountOption.words(wanted)).joined(separator: ","))
        }
    }

    private static func attributes(of path: String) throws(SystemError) -> MountAttributes {
        var status = statvfs()
        try syscall("statvfs", Quoted(path).description) { statvfs(path, &status) }
        // ST_* of statvfs(3) share their numbers with MS_*.
        let table: [(UInt, MountAttributes)] = [
            (1, .readOnly), (2, .noSetuid), (4, .noDevices), (8, .noExecute), (1024, .noAccessTime),
            (2048, .noDirectoryAccessTime), (8192, .noSymbolicLinks),
        ]
        return table.reduce(into: []) { if UInt(status.f_flag) & $1.0 != 0 { $0.formUnion($1.1) } }
    }

    private static func readLink(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension BindOptions {
    fileprivate init(recursive: Bool) {
        self.init()
        self.recursive = recursive
    }
}
