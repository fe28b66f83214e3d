import CLI

@testable import chroot_distro

/// The commands that there are, so that no test has a list of its own.
enum EveryCommand {
    /// All that help shows.
    static let specs = chroot_distro.Program.table.visibleSpecs

    /// Their names, of one word or two.
    static let names = specs.map(\.name)

    /// Command lines that name a container, which is called `container`, one for each command that takes one.
    static func lines(naming container: String) -> [[String]] {
        specs.compactMap { spec in
            let kinds: [ValueKind] = [.container, .running]
            guard spec.operands.contains(where: { kinds.contains($0.kind) }) else { return nil }
            let operands = spec.operands.map { kinds.contains($0.kind) ? container : "other" }
            return spec.name.split(separator: " ").map(String.init) + operands
                + (spec.trailing == nil ? [] : ["--", "true"])
        }
    }
}
