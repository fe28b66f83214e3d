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
        "_sysctl", "acct", "add_key", "bpf", "delete_module", "finit_module", "init_module", "ioperm", "iopl",
        "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "nfsservctl", "open_by_handle_at",
        "perf_event_open", "quotactl", "request_key", "swapoff", "swapon", "syslog", "userfaultfd", "uselib",
    ]

    /// The same for calls so new that a libseccomp may not know them, with the numbers that they have everywhere.
    private static let deniedNumbers: [(name: StaticString, number: UInt32)] = [
        ("io_uring_setup", 425), ("io_uring_enter", 426), ("io_uring_register", 427), ("quotactl_fd", 443),
    ]

    /// Requests of ioctl(2) that type on somebody else's terminal (TIOCSTI, TIOCLINUX).
    private static let deniedRequests: [UInt32] = [0x5412, 0x541c]

    /// A store may have been another machine's.
    private static let architecture: StaticString = {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #elseif arch(i386)
            "i386"
        #else
            "other"
        #endif
    }()

    /// Changes with the table, so that a program which was kept is not one of an older table.
    package static let keptName: RawString = {
        var table: [UInt8] = []
        for name in denied + deniedNumbers.map(\.name) + [architecture] {
            name.withUTF8Buffer { table += $0 }
        }
        for request in deniedRequests { withUnsafeBytes(of: request.littleEndian) { table += $0 } }
        return RawString(".filter-\(String(sum(of: table[...]), radix: 16))")
    }()

    /// FNV-1a.
    private static func sum(of bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// A program with its sum behind it, so that a damaged file is not taken for one.
    private static func checked(_ kept: [UInt8]) -> [UInt8]? {
        let program = kept.dropLast(8)
        let sum = withUnsafeBytes(of: sum(of: program).littleEndian) { Array($0) }
        return !program.isEmpty && kept.suffix(8).elementsEqual(sum) ? Array(program) : nil
    }

    /// The program that was kept in a directory that only root writes to, or a new one; `ENOSYS` without libseccomp.
    package init(keptIn directory: borrowing Directory) throws(SystemError) {
        if let kept = try? directory.readFile(Self.keptName, limit: 1 << 16),
            let checked = Self.checked(kept)
        {
            program = checked
            return
        }
        program = try Self.make()
        let sum = withUnsafeBytes(of: Self.sum(of: program[...]).littleEndian) { Array($0) }
        try? directory.replaceFile(Self.keptName, with: program + sum, durable: false)
    }

    /// A new program.
    package init() throws(SystemError) { program = try Self.make() }

    private static func make() throws(SystemError) -> [UInt8] {
        let file = FileDescriptor(adopting: try syscall("memfd_create") { cd_memfd("filter") })
        func rule(_ name: StaticString, argument: Int32 = -1, value: UInt32 = 0, number: UInt32 = 0)
            -> cd_seccomp_rule
        {
            cd_seccomp_rule(
                name: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
                argument: argument, value: value, number: number)
        }
        var rules = denied.map { rule($0) }
        rules += deniedNumbers.map { rule($0.name, number: $0.number) }
        rules += deniedRequests.map { rule("ioctl", argument: 1, value: $0) }
        try syscall("seccomp", "libseccomp") { cd_seccomp_make(rules, rules.count, file.rawValue) }
        _ = try file.seek(to: 0)
        return try file.readAll(limit: 1 << 16)
    }

    /// Whether this kernel has filters at all.
    package static var isPossible: Bool {
        // A filter at no address is looked at by a kernel that has them.
        cd_try_seccomp() == 0 || errno == EFAULT
    }

    /// Lends what the kernel is given (struct sock_filter); nothing without a filter.
    package static func withProgram<Value>(
        _ filter: SystemCallFilter?, _ body: (UnsafeRawBufferPointer) -> Value
    ) -> Value {
        guard let filter else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return filter.program.withUnsafeBytes(body)
    }
}
