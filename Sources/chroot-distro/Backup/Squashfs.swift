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

    /// Packs the directory `name` in `folder` into a new file.
    static func pack(
        _ name: RawString, in folder: borrowing Directory, to file: borrowing FileDescriptor, format: String,
        hasZeroOwners: Bool, _ context: Context
    ) throws {
        // The file has no name yet, so the program gets it as its standard input.
        var words: [RawString] = [
            name, "/proc/self/fd/0", "-noappend", "-no-progress", "-quiet", "-xattrs", "-comp",
            RawString(format),
        ]
        if hasZeroOwners { words.append("-all-root") }
        try run("mksquashfs", words, input: file.rawValue, in: folder, context)
    }

    /// Unpacks an image into the directory `name` in `folder`, which is there and empty.
    static func unpack(
        _ file: borrowing FileDescriptor, to name: RawString, in folder: borrowing Directory,
        _ context: Context
    ) throws {
        try run(
            "unsquashfs", ["-force", "-no-progress", "-quiet", "-dest", name, "/proc/self/fd/0"],
            input: file.rawValue, in: folder, context)
    }

    private static func run(
        _ program: String, _ words: [RawString], input: Int32, in folder: borrowing Directory,
        _ context: Context
    ) throws {
        let host = context.caller.host
        let path = try ProgramSearch.trusted(on: host).require(program, on: host)
        let spawn = Spawn(path, words, environment: context.caller.environment)
        let pipe = try Pipe()
        let null = try FileDescriptor.open("/dev/null", O_WRONLY)
        let child = try spawn.start(
            Spawn.Streams(input: input, output: null.rawValue, errors: pipe.raw.writing),
            directory: folder.raw)
        let errors = (try? pipe.readEnd().readAll(limit: 1 << 20)) ?? []
        let status = try Reaping.wait(for: child)
        guard status == .success else {
            let lines = errors.split(separator: UInt8(ascii: "\n")).map {
                Quoted(bytes: Array($0)).description
            }
            throw SquashfsError(program: program, reason: lines.last ?? "status \(status.code)")
        }
    }
}

/// A program of squashfs-tools that failed.
struct SquashfsError: UserFacing, Equatable {
    let program: String
    /// What it said last, safe to print.
    let reason: String

    var message: String { "\(program) failed: \(reason)" }
    var hint: String? { nil }
}
