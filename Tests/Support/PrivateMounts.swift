import CLinux
import Libc
import Platform

/// Runs code on a thread with a mount namespace of its own, of which the host sees nothing.
package enum PrivateMounts {
    private final class Work {
        let body: () throws -> Void
        var error: (any Error)?
        init(_ body: @escaping () throws -> Void) { self.body = body }

        func run() {
            do {
                // A namespace may be left by one thread alone (unshare(2), CLONE_FS).
                try syscall("unshare") { cd_unshare(cd_clone_newns) }
                try syscall("mount") { mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_SLAVE), nil) }
                try body()
            } catch { self.error = error }
        }
    }

    /// `body` runs on another thread, so its expectations are values that it hands out, and `Scratch.path` has to be
    /// asked for before. Programs that it starts have these mounts.
    package static func run<Value>(_ body: @escaping () throws -> Value) throws -> Value {
        var value: Value?
        let work = Work { value = try body() }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().run() }
                return nil
            }, Unmanaged.passUnretained(work).toOpaque())
        guard code == 0 else { throw SystemError("pthread_create", code: code) }
        pthread_join(thread, nil)
        if let error = work.error { throw error }
        guard let value else { throw SystemError("unshare", code: ECANCELED) }
        return value
    }

    /// Where and as what something is mounted below a directory, for the calling thread.
    package static func table(below path: HostPath) throws -> [String] {
        let bytes = try FileDescriptor.open("/proc/thread-self/mountinfo", O_RDONLY).readAll(limit: 64 << 20)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"),
                fields[4] == path.rawValue || fields[4].hasPrefix(path.rawValue + "/")
            else { return nil }
            return
                "\(fields[4].dropFirst(path.rawValue.count)) \(fields[3].replacing(path.rawValue, with: "@")) \(fields[5]) \(fields[dash + 1])"
        }
    }
}
