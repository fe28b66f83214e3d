import CLinux
import Libc
import Platform
import Store

/// Putting a session into the background, where it needs no terminal and no caller.
package enum Detaching {
    /// Runs `body` in a process of its own, with a console for its session, and returns its number once the
    /// session's command runs.
    ///
    /// When the command cannot be started, this throws what it met, and no process is left.
    package static func start(
        log: consuming OutputLog, hasTerminal: Bool, _ body: (DetachedConsole) throws -> ExitStatus
    ) throws -> pid_t {
        let pipe = try Pipe()
        var log = Optional(log)
        let pid = try Fork.child {
            setsid()
            close(pipe.raw.reading)
            do {
                guard let log = log.take() else { return .failure }
                let console = try DetachedConsole(
                    log: log, hasTerminal: hasTerminal, report: pipe.raw.writing)
                return try body(console)
            } catch {
                ChildReport.send(error, over: pipe.raw.writing)
                return .failure
            }
        }
        let report = pipe.readEnd()
        do {
            guard try ChildReport.receive(from: report, expecting: DetachedConsole.success) else {
                throw LaunchError.inside("the session ended while it started", hint: "Try again.", .failure)
            }
        } catch {
            _ = try? Reaping.wait(for: pid)
            throw error
        }
        return pid
    }
}
