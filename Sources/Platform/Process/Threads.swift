import Libc

/// How many threads this process has, which setns(2) and unshare(2) mind.
package enum Threads {
    /// More than one thread where there may be only one: a bug of this program.
    package struct TooMany: UserFacing, Hashable {
        package let count: Int
        package var message: String { "\(count) threads are running where only one may be" }
    }

    package static func count() throws(SystemError) -> Int {
        let threads = try Directory.open("/proc/self/task")
        // Two links are the directory's own, and each thread has one; where that is not so, they are counted.
        return try threads.status().links == 3 ? 1 : threads.entries().count
    }

    /// Throws `TooMany` unless the caller is the only thread.
    package static func requireOne() throws {
        let count = try count()
        guard count == 1 else { throw TooMany(count: count) }
    }
}
