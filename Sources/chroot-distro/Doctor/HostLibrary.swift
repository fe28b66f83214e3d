import Libc
import Platform

/// A library that is loaded when it is needed: is it there, and which version.
struct HostLibrary: Encodable {
    let name: String
    /// As the linker found it; `nil` when it is not there.
    let file: String?
    let version: String?

    /// All of them, in the order in which they are told.
    static func all() -> [HostLibrary] {
        [
            HostLibrary("libcurl", ["libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"]) { library in
                text(library, "curl_version").map {
                    String($0.prefix { $0 != " " }.drop { $0 != "/" }.dropFirst())
                }
            },
            HostLibrary("libcrypto", ["libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"]) { library in
                number(library, "OpenSSL_version_num").map {
                    "\($0 >> 28).\($0 >> 20 & 0xff).\($0 >> 4 & 0xff)"
                }
            },
            HostLibrary("libmount", ["libmount.so.1", "libmount.so"], version: mountVersion),
            HostLibrary("libseccomp", ["libseccomp.so.2", "libseccomp.so"], version: seccompVersion),
            HostLibrary("libisal", ["libisal.so.2"]) { _ in nil },
        ]
    }

    private init(_ name: String, _ files: [String], version find: (UnsafeMutableRawPointer) -> String?) {
        self.name = name
        for file in files {
            guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else { continue }
            self.file = file
            version = find(library)
            return
        }
        file = nil
        version = nil
    }

    private static func text(_ library: UnsafeMutableRawPointer, _ function: String) -> String? {
        guard let symbol = dlsym(library, function) else { return nil }
        typealias Function = @convention(c) () -> UnsafePointer<CChar>?
        return unsafeBitCast(symbol, to: Function.self)().map { Quoted(String(cString: $0)).description }
    }

    private static func number(_ library: UnsafeMutableRawPointer, _ function: String) -> UInt? {
        guard let symbol = dlsym(library, function) else { return nil }
        typealias Function = @convention(c) () -> UInt
        return unsafeBitCast(symbol, to: Function.self)()
    }

    /// `mnt_get_library_version(const char **)`.
    private static func mountVersion(_ library: UnsafeMutableRawPointer) -> String? {
        guard let symbol = dlsym(library, "mnt_get_library_version") else { return nil }
        typealias Function = @convention(c) (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
        var text: UnsafePointer<CChar>?
        _ = unsafeBitCast(symbol, to: Function.self)(&text)
        return text.map { Quoted(String(cString: $0)).description }
    }

    /// `seccomp_version()` leads to three numbers.
    private static func seccompVersion(_ library: UnsafeMutableRawPointer) -> String? {
        guard let symbol = dlsym(library, "seccomp_version") else { return nil }
        typealias Function = @convention(c) () -> UnsafePointer<UInt32>?
        return unsafeBitCast(symbol, to: Function.self)().map { "\($0[0]).\($0[1]).\($0[2])" }
    }

    // MARK: - What doctor says of them

    static func findings() -> [Finding] { all().map { $0.finding } }

    var finding: Finding {
        let id = "library.\(name)"
        if let file { return Finding(id, .ok, "\(name) \(version ?? "is there") (\(file))") }
        let (severity, reason, packages): (Finding.Severity, String, String) =
            switch name {
            case "libcurl":
                (
                    .problem, "nothing can be downloaded",
                    "libcurl4 (Debian), libcurl (Fedora, Alpine, Termux), curl (Arch)"
                )
            case "libcrypto":
                (
                    .problem, "no image can be verified, so none can be installed",
                    "libssl3 (Debian), openssl-libs (Fedora), openssl (Arch, Termux), libcrypto3 (Alpine)"
                )
            case "libmount":
                (
                    .warning, "containers cannot be removed, nor entered on kernels before 5.12",
                    "libmount1 (Debian), libmount (Fedora, Alpine), util-linux (Arch, Termux)"
                )
            case "libseccomp":
                (
                    .warning, "isolated containers go without a filter of system calls",
                    "libseccomp2 (Debian), libseccomp (Fedora, Arch, Alpine, Termux)"
                )
            default:
                (
                    .note, "gzip layers unpack at half the speed",
                    "libisal2 (Debian), isa-l (Fedora, Arch, Alpine)"
                )
            }
        return Finding(
            id, severity, "\(name) is not installed", because: reason, remedy: "Install \(packages).")
    }
}
