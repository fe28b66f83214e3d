import Libc

/// A directory of its own for one test, removed with everything in it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/cli-tests-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/nonexistent"
        }
    }

    deinit { _ = Shell.run("rm -rf '\(path)'") }

    @discardableResult
    func write(_ text: String, to name: String, mode: mode_t = 0o644) -> String {
        let file = "\(path)/\(name)"
        if let stream = fopen(file, "w") {
            fputs(text, stream)
            fclose(stream)
        }
        chmod(file, mode)
        return file
    }
}

/// Programs of this host, as tests start them.
enum Shell {
    /// Whether a program is in the search path.
    static func has(_ program: String) -> Bool { !run("command -v \(program)").isEmpty }

    /// What a command line of `sh` prints to stdout.
    static func run(_ command: String) -> String {
        guard let stream = popen(command, "r") else { return "" }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        pclose(stream)
        return String(decoding: bytes, as: UTF8.self)
    }
}
