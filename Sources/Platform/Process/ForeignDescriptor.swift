import CLinux
import Libc

/// The name under which root finds an open file of another process: `/proc/PID/fd/N`.
package struct ForeignDescriptor: Hashable, Sendable {
    package let pid: pid_t
    package let number: Int32

    package init(pid: pid_t, number: Int32) {
        self.pid = pid
        self.number = number
    }

    /// Only the exact spelling of `description`.
    package init?(_ text: RawString) {
        let parts = text.text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "proc", parts[3] == "fd",
            let pid = pid_t(parts[2]), pid > 0, let number = Int32(parts[4]), number >= 0
        else { return nil }
        self.init(pid: pid, number: number)
        guard RawString(description) == text else { return nil }
    }

    /// The effective user that the process runs as.
    ///
    /// Not the owner of `/proc/PID`: that is root for a program that its user may execute but not read.
    package func owner() throws(SystemError) -> uid_t {
        let status = try FileDescriptor.open(HostPath("/proc/\(pid)/status"), O_RDONLY).readAll(limit: 65536)
        let line = status.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "Uid:".utf8) } ?? []
        let fields = line.split(separator: UInt8(ascii: "\t"))
        guard fields.count > 2, let uid = uid_t(String(decoding: fields[2], as: UTF8.self)) else {
            throw SystemError("open", "/proc/\(pid)/status", code: ENODATA)
        }
        return uid
    }

    /// Opens the file a second time, once it has turned out to be what it should be.
    ///
    /// Whoever names the descriptor chooses what is behind it, and opening a device can have effects: so it is
    /// looked at before it is opened for reading.
    package func open(_ isRight: (FileStatus, Int) -> Bool) throws(SystemError) -> FileDescriptor {
        let place = try FileDescriptor.open(HostPath(description), cd_o_path)
        guard isRight(try place.status(), cd_filesystem_type(place.rawValue)) else {
            throw SystemError("open", description, code: EINVAL)
        }
        return try FileDescriptor.open(HostPath(place.procPath), O_RDONLY | O_NONBLOCK | O_NOCTTY)
    }
}

extension ForeignDescriptor: CustomStringConvertible {
    package var description: String { "/proc/\(pid)/fd/\(number)" }
}
