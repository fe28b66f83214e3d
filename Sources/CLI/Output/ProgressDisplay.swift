import Libc
import Platform

/// Shows long work on stderr.
///
/// On a terminal a few lines are redrawn in place, at most ten times a second; elsewhere each running item gets a
/// line every five seconds and one when it is done. Nothing is shown when the person wants quiet or types a password.
/// One thread feeds it. It is gone from the screen when `close()` returns.
package final class ProgressDisplay {
    /// What it has been told.
    package private(set) var state = ProgressState()
    private let diagnostics: Diagnostics
    private let clock: () -> Duration
    private let size: () -> Terminal.Size?
    /// How many lines stand on the screen above the cursor.
    private var shown = 0
    private var lastDrawn: Duration?

    /// Shows through the same stderr as `diagnostics`, whose messages appear above what is drawn here.
    package convenience init(_ diagnostics: Diagnostics) {
        self.init(
            diagnostics, clock: ProgressDisplay.monotonic, size: { Terminal.size(of: STDERR_FILENO) })
    }

    init(_ diagnostics: Diagnostics, clock: @escaping () -> Duration, size: @escaping () -> Terminal.Size?) {
        self.diagnostics = diagnostics
        self.clock = clock
        self.size = size
        diagnostics.progress = self
    }

    deinit { close() }

    /// Says how far an item is, in bytes; see `ProgressState` for the rest.
    package func update(
        id: String, label: String? = nil, done: Int64, total: Int64? = nil, phase: String? = nil
    ) {
        let now = clock()
        state.update(id: id, label: label, done: done, total: total, phase: phase, at: now)
        refresh(now)
    }

    /// Ends an item: it leaves the screen, or gets its last line in a log.
    package func finish(_ id: String) {
        let now = clock()
        guard let item = state.finish(id), !diagnostics.isTerminal else { return refresh(now) }
        diagnostics.info(ProgressLines.done(item, at: now))
    }

    /// Redraws when it is time to; for the loops of those who have nothing new to tell.
    package func refresh() { refresh(clock()) }

    /// Takes everything off the screen.
    package func close() { erase() }

    /// Takes the lines off the screen until the next redraw.
    func erase() {
        guard shown > 0 else { return }
        if !diagnostics.isSilenced { diagnostics.draw("\r\u{1b}[\(shown)A\u{1b}[J") }
        shown = 0
        lastDrawn = nil
    }

    private func refresh(_ now: Duration) {
        guard !diagnostics.isQuiet else { return }
        let interval: Duration = diagnostics.isTerminal ? .milliseconds(100) : .seconds(5)
        // In a log the first line comes after one interval: short work says only that it is done.
        let last = lastDrawn ?? (diagnostics.isTerminal ? now - interval : state.items.first?.start ?? now)
        guard now - last >= interval else { return }
        lastDrawn = now
        guard diagnostics.isTerminal else {
            for item in state.running { diagnostics.info(ProgressLines.log(item, at: now)) }
            return
        }
        guard diagnostics.isSilenced else { return draw(now) }
        // What was drawn is now somewhere above another program's prompt: it is out of reach.
        shown = 0
    }

    private func draw(_ now: Duration) {
        let size = size() ?? Terminal.Size(rows: 24, columns: 80)
        // A line that fills the last column would wrap on some terminals.
        let lines = ProgressLines.screen(state, width: size.columns - 1, height: size.rows - 1, at: now)
        var text = "\r" + (shown > 0 ? "\u{1b}[\(shown)A" : "")
        for line in lines { text += line + "\u{1b}[K\n" }
        if lines.count < shown { text += "\u{1b}[J" }
        guard !lines.isEmpty || shown > 0 else { return }
        diagnostics.draw(text)
        shown = lines.count
    }

    /// Time since the machine started, without the time it slept (`CLOCK_MONOTONIC`).
    private static func monotonic() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
