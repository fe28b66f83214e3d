import Archive
import CLI
import Libc
import Platform
import Store

/// Squashfs images, which the programs of squashfs-tools make and unpack.
enum Squashfs {
    /// Whether a file begins as such an image does.
    static func isImage(_ file: borrowing FileDescriptor) throws(SystemError) -> Bool {
        var head = [UInt8](repeating: 0, count: 4)
        let count = try head.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try file.read(into: buffer, at: 0) }
        }.get()
        return count == 4 && head == Array("hsqs".utf8)
    }

    /// Unpacks an image into the directory `name` in `folder`, which is there and empty.
    ///
    /// The program goes by paths, as root, and an image may come from anywhere: it can change nothing but `folder`.
    static func unpack(
        _ file: borrowing FileDescriptor, to name: RawString, in folder: borrowing Directory,
        _ context: Context
    ) throws {
        let words: [RawString] = ["-force", "-no-progress", "-quiet", "-dest", name, "/proc/self/fd/0"]
        try run("unsquashfs", words, input: file.rawValue, in: folder.raw, context) {}
    }

    /// Runs one of the programs to its end, while `work` feeds it, and tells as warnings what it says.
    ///
    /// In a directory it is confined to that.
    static func run(
        _ program: String, _ words: [RawString], input: Int32, in directory: Int32 = -1, _ context: Context,
        while work: () throws -> Void
    ) throws {
        let host = context.caller.host
        let path = try ProgramSearch.trusted(on: host).require(program, on: host)
        var spawn = Spawn(path, words, environment: context.caller.environment)
        spawn.isConfined = directory >= 0
        let pipe = try Pipe()
        let null = try FileDescriptor.open("/dev/null", O_WRONLY)
        let child = try spawn.start(
            Spawn.Streams(input: input, output: null.rawValue, errors: pipe.raw.writing),
            directory: directory)
        let complaints = Complaints(pipe.readEnd())
        let outcome = Result { try Worker.beside(complaints.collect, work) }
        let status = try Reaping.wait(for: child)
        let lines = complaints.lines
        guard status == .success else {
            // That it would take no more is not the reason.
            if case .failure(let error) = outcome, (error as? SystemError)?.code != EPIPE { throw error }
            throw SquashfsError(program: program, reason: lines.last ?? "status \(status.code)")
        }
        try outcome.get()
        for line in lines { context.diagnostics.warning("\(program): \(line)") }
    }
}

/// What a program says on its standard error, collected by a thread.
private final class Complaints {
    private static let limit = 10
    private let source: FileSource
    private var bytes: [UInt8] = []

    init(_ end: consuming FileDescriptor) { source = FileSource(end) }

    /// Reads to the end; what comes after the first megabyte is passed over.
    func collect() {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while let count = try? chunk.withUnsafeMutableBytes({ try source.read(into: $0) }), count > 0 {
            if bytes.count < 1 << 20 { bytes += chunk[..<count] }
        }
    }

    /// The last ones, safe to print.
    var lines: [String] {
        bytes.split(separator: UInt8(ascii: "\n")).suffix(Self.limit).map {
            Quoted(bytes: Array($0)).description
        }
    }
}

/// A program of squashfs-tools that failed.
struct SquashfsError: UserFacing, Equatable {
    let program: String
    /// What it said last, safe to print.
    let reason: String

    var message: String { "\(program) failed: \(reason)" }
    var hint: String? {
        program == "mksquashfs" ? "It has to read tar archives, as squashfs-tools 4.5 and later do." : nil
    }
}
