import CLinux
import Libc
import Platform

/// A directory of one test, removed with all that is in it when the test lets go of it.
final class Scratch {
    let path: String

    init() throws {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/oci-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? run(["rm", "-rf", path]) }

    func has(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

    func directory(_ name: String) throws -> Directory {
        try Directory.open(HostPath(path)).openOrMakeDirectory(RawString(name), mode: 0o755)
    }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        try Directory.open(HostPath(path)).replaceFile(RawString(name), with: Array(text.utf8), mode: mode)
    }

    /// Writes a program by a program: what another thread starts meanwhile must not have it open for writing.
    func writeProgram(_ name: String, _ text: String) throws {
        try run(["sh", "-c", "printf %s \"$1\" > \"$2\"; chmod 755 \"$2\"", "sh", text, "\(path)/\(name)"])
    }

    func read(_ name: String) throws -> String {
        let file = try FileDescriptor.open(HostPath("\(path)/\(name)"), O_RDONLY)
        return String(decoding: try file.readAll(limit: 1 << 24), as: UTF8.self)
    }
}

/// Whether a program is on this machine.
func isInstalled(_ program: String) -> Bool { (try? run(["sh", "-c", "command -v \(program)"]).status) == 0 }

/// Runs a program to its end.
@discardableResult
func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let output = try FileDescriptor(adopting: syscall("memfd_create") { cd_memfd("output") })
    let process = try spawn(arguments, input: -1, output: output.rawValue)
    var status: Int32 = 0
    try syscall("waitpid") { waitpid(process, &status, 0) }
    try output.seek(to: 0)
    return (status, String(decoding: try output.readAll(limit: 1 << 24), as: UTF8.self))
}

private func spawn(_ arguments: [String], input: Int32, output: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if input >= 0 { posix_spawn_file_actions_adddup2(&actions, input, 0) }
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, output, 2)
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process: pid_t = 0
    let code = posix_spawnp(&process, arguments[0], &actions, nil, &words, environ)
    guard code == 0 else { throw SystemError("posix_spawn", arguments[0], code: code) }
    return process
}

/// A program that runs until the test lets go of it.
final class Background {
    private let process: pid_t
    private let input: FileDescriptor
    private let output: FileDescriptor

    init(_ arguments: [String]) throws {
        var inputs: (Int32, Int32) = (-1, -1)
        var outputs: (Int32, Int32) = (-1, -1)
        try syscall("pipe2") { cd_pipe(&inputs.0, &inputs.1) }
        try syscall("pipe2") { cd_pipe(&outputs.0, &outputs.1) }
        let theirInput = FileDescriptor(adopting: inputs.0)
        let theirOutput = FileDescriptor(adopting: outputs.1)
        input = FileDescriptor(adopting: inputs.1)
        output = FileDescriptor(adopting: outputs.0)
        process = try spawn(arguments, input: theirInput.rawValue, output: theirOutput.rawValue)
    }

    deinit {
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// The first line that it prints.
    func line() throws -> String {
        var bytes: [UInt8] = []
        let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
        defer { byte.deallocate() }
        while try output.read(into: byte) == 1, byte[0] != UInt8(ascii: "\n") { bytes.append(byte[0]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
