import CLinux
import Libc
import Platform

/// Steps that put something over what the container has.
extension KernelMounter {
    /// A directory that is there in every container, by way of which files are made that are in no directory.
    private static let passage: GuestPath = "/dev/shm"

    /// Covers a path with a file that is in no file system but its own.
    func put(_ file: GuestFile) throws(SystemError) {
        let store = try kind.make("tmpfs", [.init("mode", "0755")], [.noSetuid, .noDevices])
        try kind.attach(store, at: root.openDirectory(Self.passage).descriptor, in: root.directory)
        let directory = try root.openDirectory(Self.passage)
        defer {
            // The file stays where it is attached; nothing else of this file system does.
            if fchdir(directory.raw) == 0 { umount2(".", Int32(MNT_DETACH)) }
        }
        try directory.openFile("file", O_WRONLY | O_CREAT | O_EXCL, mode: 0o644).writeAll(file.contents)
        var options = BindOptions()
        options.recursive = false
        let copy = try kind.copy(
            directory.openFile("file", cd_o_path), isDirectory: false, options,
            subject: file.target.description)
        try kind.attach(copy, at: openOrMakeFile(file.target), in: root.directory)
    }

    /// Covers a directory with an empty one that takes nothing in, and a file with the null device.
    func mask(_ target: GuestPath) throws(SystemError) {
        guard let place = try openIfPresent(target) else { return }
        if try place.status().kind == .directory {
            let nothing = try kind.make(
                "tmpfs", [.init("mode", "0555"), .init("size", "4k")],
                [.readOnly, .noSetuid, .noDevices, .noExecute])
            return try kind.attach(nothing, at: place, in: root.directory)
        }
        let null = try root.open("/dev/null", cd_o_path)
        let status = try null.status()
        guard status.kind == .characterDevice, status.major == 1, status.minor == 3 else {
            throw SystemError("open", "/dev/null", code: ENODEV)
        }
        let cover = try kind.copy(null, isDirectory: false, .readOnly, subject: target.description)
        try kind.attach(cover, at: place, in: root.directory)
    }

    /// Covers a path with a read-only view of itself and of all that is mounted below it.
    func seal(_ target: GuestPath) throws(SystemError) {
        guard let place = try openIfPresent(target) else { return }
        var options = BindOptions.readOnly
        for option in [MountOption.nosuid, .nodev, .noexec] { option.apply(to: &options) }
        let isDirectory = try place.status().kind == .directory
        let view = try kind.copy(
            place.duplicate(), isDirectory: isDirectory, options, subject: target.description)
        try kind.attach(view, at: place, in: root.directory)
    }

    private func openIfPresent(_ target: GuestPath) throws(SystemError) -> FileDescriptor? {
        do { return try root.open(target, cd_o_path) } catch  where error.code == ENOENT { return nil }
    }
}
