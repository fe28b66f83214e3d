import CLI
import OCI
import Platform
import Synchronization

/// Draws a pull, which is told by another thread.
final class InstallProgress: PullObserver {
    private let display: Mutex<Display>

    /// The display belongs to whoever has the mutex.
    private struct Display: @unchecked Sendable { let value: ProgressDisplay }

    /// The phase after which a layer leaves the screen.
    private let last: PullProgress.Phase

    init(_ diagnostics: Diagnostics, until last: PullProgress.Phase = .done) {
        display = Mutex(Display(value: ProgressDisplay(diagnostics)))
        self.last = last
    }

    func show(_ progress: PullProgress) {
        display.withLock { display in
            for layer in progress.layers {
                let id = layer.digest.description
                if layer.phase == last || layer.phase == .done {
                    display.value.finish(id)
                } else {
                    display.value.update(
                        id: id, label: layer.digest.short, done: layer.done, total: layer.size,
                        phase: Self.words(layer.phase))
                }
            }
        }
    }

    /// Takes the lines off the screen.
    func close() { display.withLock { $0.value.close() } }

    private static func words(_ phase: PullProgress.Phase) -> String {
        switch phase {
        case .waiting: "waiting"
        case .elsewhere: "fetched by another command"
        case .downloading: "downloading"
        case .checking: "checking"
        case .uploading: "uploading"
        case .ready: "ready"
        case .applying: "unpacking"
        case .done: "done"
        }
    }
}
