import CLinux
import Libc
import Platform

/// The time in which a new container is complete, but not yet on the disk.
///
/// Flushing every file would make an installation several times as long. So a container is marked with the boot in
/// which it was made; a child that nobody waits for flushes it and takes the mark away. A mark of another boot means
/// that the machine went down in between, and that files may be empty or missing.
package enum Flushing {
    static let mark: RawString = "unflushed"

    /// Marks a container that is about to get its place.
    static func begin(_ directory: borrowing Directory) throws(SystemError) {
        try directory.replaceFile(mark, with: Array(Kernel.bootID().utf8))
    }

    /// Flushes the file system that the container is on, after this process has gone its way.
    package static func goOn(_ container: borrowing Container) {
        let directory = container.directory.raw
        _ = try? Fork.child {
            // Nothing else may stay open: locks would last as long as this, and readers of our output wait for its end.
            setsid()
            guard dup2(directory, 0) == 0, cd_close_range(1, .max) == 0, cd_syncfs(0) == 0 else {
                return .failure
            }
            return mark.withCString { unlinkat(0, $0, 0) } == 0 ? .success : .failure
        }
    }

    /// Whether the machine went down before the container was on the disk.
    package static func wasInterrupted(_ container: borrowing Container) -> Bool {
        guard let boot = try? container.directory.readFile(mark, limit: 256) else { return false }
        return boot != Array(Kernel.bootID().utf8)
    }
}
