import Libc
import CLinux

/// What the running kernel can do, found out by trying it.
package enum Kernel {
    /// Whether `openat2(2)` (Linux 5.6) works here.
    package static let hasOpenat2 = cd_probe_openat2()

    /// Changes at each boot; state that names processes or mounts is worth nothing after it has changed.
    package static func bootID() -> String { boot }

    private static let boot: String = {
        guard let file = try? FileDescriptor.open("/proc/sys/kernel/random/boot_id", O_RDONLY),
            let bytes = try? file.readAll(limit: 128)
        else { return "" }
        return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    }()
}
