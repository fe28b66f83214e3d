import CLinux
import CSeccomp
import Libc
import Platform

/// The system calls that a guest has no business with, and the program by which the kernel denies them (seccomp(2)).
package struct SystemCallFilter: Hashable, Sendable {
    /// What the kernel runs at each system call.
    private let program: [UInt8]

    /// Denied by name: they load code into the kernel, look into it or past its checks, or belong to the whole machine.
    package static let denied: [StaticString] = [
        "_sysctl", "acct", "add_key", "bpf", "delete_module", "finit_module", "init_module", "io_uring_enter",
        "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl",
        "lookup_dcookie", "nfsservctl", "open_by_handle_at", "perf_event_open", "quotactl", "quotactl_fd",
        "request_key", "swapoff", "swapon", "syslog", "userfaultfd", "uselib",
    ]

    /// Requests of ioctl(2) that type on somebody else's terminal (TIOCSTI, TIOCLINUX).
    private static let deniedRequests: [UInt32] = [0x5412, 0x541c]

    /// Changes with the table, so that a program which was kept is not one of an older table.
    package static let keptName: RawString = {
        var hash = UInt64(0xcbf2_9ce4_8422_2325)
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for name in denied { name.withUTF8Buffer { $0.forEach(add) } }
        for request in deniedRequests {
            for shift in [0, 8, 16, 24] { add(UInt8(truncatingIfNeeded: request >> UInt32(shift))) }
        }
        return RawString(".filter-\(String(hash, radix: 16))")
    }()

    /// The program that was kept in a directory that only root writes to, or a new one; `ENOSYS` without libseccomp.
    package init(keptIn directory: borrowing Directory) throws(SystemError) {
        if let kept = try? directory.readFile(Self.keptName, limit: 1 << 16), !kept.isEmpty,
            kept.count % 8 == 0
        {
            program = kept
            return
        }
        program = try Self.make()
        try? directory.replaceFile(Self.keptName, with: program, durable: false)
    }

    /// A new program.
    package init() throws(SystemError) { program = try Self.make() }

    private static func make() throws(SystemError) -> [UInt8] {
        let file = FileDescriptor(adopting: try syscall("memfd_create") { cd_memfd("filter") })
        var rules = denied.map {
            cd_seccomp_rule(
                name: UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self), argument: -1,
                value: 0)
        }
        let ioctl: StaticString = "ioctl"
        rules += deniedRequests.map {
            cd_seccomp_rule(
                name: UnsafeRawPointer(ioctl.utf8Start).assumingMemoryBound(to: CChar.self), argument: 1,
                value: $0)
        }
        try syscall("seccomp", "libseccomp") { cd_seccomp_make(rules, rules.count, file.rawValue) }
        _ = try file.seek(to: 0)
        return try file.readAll(limit: 1 << 16)
    }

    /// Whether this kernel has filters at all.
    package static var isPossible: Bool {
        // A filter at no address is looked at by a kernel that has them.
        cd_try_seccomp() == 0 || errno == EFAULT
    }

    /// Puts the filter in force for this process and all that it becomes.
    func load() throws(SystemError) {
        try syscall("seccomp") { program.withUnsafeBytes { cd_seccomp_load($0.baseAddress, $0.count) } }
    }
}
