import Libc
import Platform

/// The program under test, as the build left it beside the tests.
package enum BuiltBinary {
    /// `CHROOT_DISTRO_BINARY` names another one, such as the release build.
    package static let path: String = {
        if let named = getenv("CHROOT_DISTRO_BINARY") { return String(cString: named) }
        // The test bundle is an argument of the runner or the runner itself; both lie where the binary does.
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            let candidate = (HostPath(argument).absolute.parent / "chroot-distro").rawValue
            if access(candidate, X_OK) == 0 { return candidate }
        }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = max(0, readlink("/proc/self/exe", &buffer, buffer.count))
        let runner = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (HostPath(runner).parent / "chroot-distro").rawValue
    }()

    package static var exists: Bool { access(path, X_OK) == 0 }
}
