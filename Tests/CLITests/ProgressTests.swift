import Platform
import Testing

@testable import CLI

private let mebi: Int64 = 1_048_576

@Suite("ProgressState") struct ProgressStateTests {
    /// Two items after four seconds at 1 MiB/s, the first of them known in size.
    private var state: ProgressState {
        var state = ProgressState()
        for second in 0...4 {
            let now = Duration.seconds(second)
            state.update(
                id: "a", label: "layer-a", done: Int64(second) * mebi, total: 10 * mebi, phase: "pull",
                at: now)
            state.update(id: "b", label: "layer-b", done: Int64(second) * mebi, at: now)
        }
        return state
    }

    @Test("rate and remaining time come from the last seconds")
    func rate() throws {
        let item = state.items[0]
        #expect(item.rate(at: .seconds(4)) == Double(mebi))
        #expect(item.remaining(at: .seconds(4)) == 6)
        // It stands still: the rate falls.
        #expect(try #require(item.rate(at: .seconds(9))) < Double(mebi))
        #expect(state.items[1].remaining(at: .seconds(4)) == nil)
    }

    @Test("a new phase is measured anew, and keeps what is not said again")
    func phases() {
        var state = state
        state.update(id: "a", done: 0, phase: "unpack", at: .seconds(5))
        #expect(state.items[0].rate(at: .seconds(5)) == nil)
        #expect(state.items[0].label == "layer-a")
        #expect(state.items[0].total == 10 * mebi)
    }

    @Test("lines say as much as there is room for", arguments: [1, 10, 20, 30, 40, 60, 80, 120])
    func width(columns: Int) {
        let lines = ProgressLines.screen(state, width: columns, height: 10, at: .seconds(4))
        #expect(lines.count == 3)
        #expect(lines.allSatisfy { DisplayWidth.of($0) <= columns })
    }

    @Test("a wide line has everything")
    func content() {
        let lines = ProgressLines.screen(state, width: 100, height: 10, at: .seconds(4))
        #expect(
            lines == [
                "layer-a pull  [########------------]   40%  4.0 MiB / 10.0 MiB  1.0 MiB/s  ETA 0:06",
                "layer-b       4.0 MiB  1.0 MiB/s", "total 0/2     8.0 MiB  2.0 MiB/s",
            ])
    }

    @Test("never more lines than the screen has", arguments: [0, 1, 2, 3, 5])
    func height(rows: Int) {
        var state = ProgressState()
        for index in 0..<20 { state.update(id: "\(index)", done: 1, total: 2, at: .zero) }
        let lines = ProgressLines.screen(state, width: 80, height: rows, at: .zero)
        #expect(lines.count == rows)
        if rows > 1 { #expect(lines.last?.hasPrefix("total 0/20") == true) }
    }

    @Test("a stranger's label cannot reach the terminal")
    func hostile() {
        var state = ProgressState()
        state.update(id: "a", label: "x\u{1b}[2J", done: 5, total: 0, at: .zero)
        let lines = ProgressLines.screen(state, width: 80, height: 5, at: .zero)
        #expect(lines == ["x\\e[2J  5 B / 0 B"])
    }

    @Test("more done than there was to do is a hundred per cent")
    func excess() {
        var state = ProgressState()
        state.update(id: "a", done: 30, total: 10, at: .zero)
        #expect(ProgressLines.log(state.items[0], at: .zero) == "a: 100% (30 B of 10 B)")
    }

    @Test("what is finished leaves the lines but counts in the sum")
    func finished() {
        var state = state
        state.finish("a")
        let lines = ProgressLines.screen(state, width: 100, height: 10, at: .seconds(4))
        #expect(lines.count == 2 && lines[1].hasPrefix("total 1/2") && lines[1].contains("14.0 MiB"))
        state.finish("b")
        #expect(ProgressLines.screen(state, width: 100, height: 10, at: .seconds(4)).isEmpty)
        #expect(state.finish("b") == nil)
    }
}

@Suite("ProgressDisplay") struct ProgressDisplayTests {
    /// A display whose clock and screen belong to the test.
    private final class Stage {
        var now = Duration.zero
        var text = ""
        var occupied = false
        let diagnostics: Diagnostics
        private(set) var display: ProgressDisplay

        init(terminal: Bool, quiet: Bool = false) {
            var say: (String) -> Void = { _ in }
            var ask = { false }
            var time: () -> Duration = { .zero }
            diagnostics = Diagnostics(
                isQuiet: quiet, style: .plain, isTerminal: terminal, occupied: { ask() }, sink: { say($0) })
            display = ProgressDisplay(
                diagnostics, clock: { time() }, size: { Terminal.Size(rows: 24, columns: 60) })
            say = { [weak self] in self?.text += $0 }
            ask = { [weak self] in self?.occupied ?? false }
            time = { [weak self] in self?.now ?? .zero }
        }

        func take() -> String {
            defer { text = "" }
            return text
        }
    }

    @Test("on a terminal the lines are redrawn in place, at most ten times a second")
    func terminal() {
        let stage = Stage(terminal: true)
        stage.display.update(id: "a", done: 0, total: 100)
        #expect(stage.take() == "\ra  [--------------------]    0%  0 B / 100 B\u{1b}[K\n")
        stage.now = .milliseconds(99)
        stage.display.update(id: "a", done: 50)
        #expect(stage.take() == "")
        stage.now = .milliseconds(100)
        stage.display.update(id: "a", done: 50)
        #expect(stage.take() == "\r\u{1b}[1Aa  [##########----------]   50%  50 B / 100 B\u{1b}[K\n")
        stage.display.close()
        #expect(stage.take() == "\r\u{1b}[1A\u{1b}[J")
        stage.display.close()
        #expect(stage.take() == "")
    }

    @Test("a message appears above the lines")
    func message() {
        let stage = Stage(terminal: true)
        stage.display.update(id: "a", done: 0, total: 100)
        _ = stage.take()
        stage.diagnostics.info("hello")
        #expect(stage.take() == "\r\u{1b}[1A\u{1b}[J\r\u{1b}[K[*] hello\n")
        stage.display.update(id: "a", done: 1)
        #expect(stage.take().hasPrefix("\ra  ["))
    }

    @Test("lines that are no longer needed are cleared")
    func shrinks() {
        let stage = Stage(terminal: true)
        stage.display.update(id: "a", done: 0)
        stage.now = .seconds(1)
        stage.display.update(id: "b", done: 0)
        stage.now = .seconds(2)
        _ = stage.take()
        stage.display.finish("a")
        let text = stage.take()
        #expect(text.hasPrefix("\r\u{1b}[3A") && text.hasSuffix("\u{1b}[J"))
    }

    @Test("a log gets a line every five seconds, and one at the end")
    func log() {
        let stage = Stage(terminal: false)
        for second in 0...11 {
            stage.now = .seconds(second)
            stage.display.update(
                id: "a", label: "abc", done: Int64(second) * mebi, total: 12 * mebi, phase: "downloading")
        }
        stage.display.finish("a")
        #expect(
            stage.take() == """
                [*] abc: downloading 41% (5.0 MiB of 12.0 MiB, 1.0 MiB/s)
                [*] abc: downloading 83% (10.0 MiB of 12.0 MiB, 1.0 MiB/s)
                [*] abc: done, 12.0 MiB in 11 s

                """)
    }

    @Test("nothing when quiet", arguments: [true, false])
    func quiet(terminal: Bool) {
        let stage = Stage(terminal: terminal, quiet: true)
        for second in 0...11 {
            stage.now = .seconds(second)
            stage.display.update(id: "a", done: Int64(second))
        }
        stage.display.finish("a")
        stage.display.close()
        #expect(stage.take() == "")
    }

    @Test("after a password prompt the lines are drawn anew below it")
    func afterPrompt() {
        let stage = Stage(terminal: true)
        stage.display.update(id: "a", done: 0, total: 100)
        stage.occupied = true
        stage.now = .seconds(1)
        stage.display.update(id: "a", done: 1)
        stage.occupied = false
        stage.now = .seconds(2)
        _ = stage.take()
        stage.display.update(id: "a", done: 2)
        #expect(stage.take().hasPrefix("\ra  ["))
    }

    @Test("nothing while somebody types a password", arguments: [true, false])
    func prompt(terminal: Bool) {
        let stage = Stage(terminal: terminal)
        stage.occupied = true
        for second in 0...11 {
            stage.now = .seconds(second)
            stage.display.update(id: "a", done: Int64(second))
        }
        #expect(stage.take() == "")
    }
}
