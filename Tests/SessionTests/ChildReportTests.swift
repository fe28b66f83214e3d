import Libc
import Platform
import Testing

@testable import Session

@Suite("What a child reports on its way into a container")
struct ChildReportTests {
    private struct Failure: UserFacing {
        var message: String
        var hint: String?
        var status: Platform.ExitStatus { .notFound }
    }

    private func reported(_ error: Failure?) throws -> LaunchError? {
        let pipe = try Pipe()
        if let error { ChildReport.send(error, over: pipe.raw.writing) }
        let end = pipe.readEnd()
        do { try ChildReport.receive(from: end) } catch let error as LaunchError { return error }
        return nil
    }

    @Test("arrives with its hint and its status; nothing is a success")
    func whole() throws {
        #expect(
            try reported(Failure(message: "no", hint: "try"))
                == .inside("no", hint: "try", ExitStatus(code: 127)))
        #expect(try reported(Failure(message: "no")) == .inside("no", hint: nil, ExitStatus(code: 127)))
        #expect(try reported(nil) == nil)
    }

    @Test("is clipped when it is longer than the pipe takes at once, but never lost")
    func clipped() throws {
        let long = String(repeating: "\u{e9}", count: 200_000)
        let error = try #require(try reported(Failure(message: long, hint: long)))
        #expect(error.message.utf8.count < 4100 && error.message.hasPrefix("\u{e9}\u{e9}"))
        #expect(error.message.hasSuffix(" ...") && error.hint?.hasSuffix(" ...") == true)
        #expect(error.status == .notFound)
    }
}
