import Archive
import Libc
import Platform
import TestSupport
import Testing

@testable import Store

@Suite("FileCopy", .scratch)
struct FileCopyTests {
    private func copy(
        _ source: String, _ manner: CopyRequest.Manner = .copy(isRecursive: true),
        _ tell: @escaping (CopyReport.Event, RawString) -> Void = { _, _ in }
    ) throws -> CopyReport {
        let request = try CopyRequest(
            manner, from: FilePlace(RawString("box:/\(source)"), workingDirectory: nil, home: nil),
            to: FilePlace("/there", workingDirectory: nil, home: nil))
        let copy = FileCopy(
            request, owner: .kept, from: Rootfs(adopting: try Directory.open(Scratch.path / "from")),
            to: Rootfs(adopting: try Directory.open(Scratch.path / "to")))
        return try copy.run(tell)
    }

    private func make(_ script: String) throws {
        try Run.shell("mkdir -p $1/from $1/to/there; cd $1/from; " + script, Scratch.path.rawValue)
    }

    @Test("counts what goes away, and moves nothing then")
    func vanishing() throws {
        try make("mkdir d; for n in 1 2 3 4 5 6 7 8; do echo $n >d/$n; done")
        let base = Scratch.path.rawValue
        var isFirst = true
        let report = try copy("d", .move) { event, path in
            guard case .copied(.regular, _, _) = event, isFirst, let name = path.lastComponent.text.first
            else {
                return
            }
            isFirst = false
            _ = try? Run.shell("cd $1/from/d; for n in *; do [ $n = $2 ] || rm $n; done", base, String(name))
        }
        #expect(report.files == 1 && report.vanished == 7 && report.failures == 0 && !report.isWhole)
        #expect(try Run.shell("ls $1/from/d | wc -l", base) == "1\n")
    }

    @Test("never calls a file that went away up to date")
    func vanishingSource() throws {
        try make("")
        let file = (Scratch.path / "from/f").rawValue
        let flag = (Scratch.path / "over").rawValue
        try Worker.beside({
            while access(flag, F_OK) != 0 {
                close(open(file, O_WRONLY | O_CREAT, 0o600))
                unlink(file)
            }
        }) {
            defer { close(open(flag, O_WRONLY | O_CREAT, 0o600)) }
            for _ in 0..<2000 {
                unlink((Scratch.path / "to/there/f").rawValue)
                do { #expect(try copy("f").files == 1) } catch let error as CopyError {
                    guard case .missing = error else { throw error }
                }
            }
        }
    }

    @Test("says that the rest of a directory that is moved away is missing")
    func moved() throws {
        let event = TreeCopy.omission(.moved)
        guard case .failed(let reason) = event else { throw SystemError("omission", code: EINVAL) }
        #expect(reason.contains("moved"))
    }
}
