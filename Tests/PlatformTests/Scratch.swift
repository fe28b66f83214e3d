import Libc

@testable import Platform

/// A directory of a test's own, with all that is in it removed at the end.
struct Scratch: ~Copyable {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = "\(base)/platform-tests-XXXXXX".utf8CString.map { $0 }
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", code: errno) }
        path = template.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    deinit {
        if let directory = try? Directory.open(HostPath(path)) { Self.empty(directory) }
        rmdir(path)
    }

    private static func empty(_ directory: borrowing Directory) {
        for entry in (try? directory.entries()) ?? [] {
            if entry.kind == .directory, let inner = try? directory.openDirectory(entry.name) {
                empty(inner)
                try? directory.removeDirectory(entry.name)
            } else {
                try? directory.removeFile(entry.name)
            }
        }
    }

    func directory() throws -> Directory { try Directory.open(HostPath(path)) }

    func rootfs(openat2: Bool) throws -> Rootfs { Rootfs(adopting: try directory(), hasOpenat2: openat2) }

    func write(_ name: String, _ text: String = "") throws {
        let file = try FileDescriptor.open(HostPath(path) / name, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try file.writeAll(text)
        try file.close()
    }

    func makeDirectory(_ name: String) throws { try syscall("mkdir") { mkdir(path + "/" + name, 0o755) } }
    func link(_ name: String, to target: String) throws {
        try syscall("symlink") { symlink(target, path + "/" + name) }
    }
    func fifo(_ name: String) throws { try syscall("mkfifo") { mkfifo(path + "/" + name, 0o644) } }
}
