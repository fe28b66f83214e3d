import Libc
import Platform

/// A set of capabilities, also of those that this program has no name for.
package struct CapabilitySet: Hashable, Sendable {
    /// One bit for each number, as the kernel has them.
    package private(set) var bits: UInt64

    package init(bits: UInt64) { self.bits = bits }

    package init(_ capabilities: some Sequence<Capability>) {
        bits = capabilities.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    package static let all = CapabilitySet(bits: .max)
    package static let none = CapabilitySet(bits: 0)

    /// What an ordinary session has.
    package static let standard = all.subtracting(CapabilitySet(Capability.droppedByDefault))

    /// What is left where capabilities have to be the boundary: nothing that reaches beyond the container's files,
    /// processes and ports.
    package static let confined = CapabilitySet([
        .chown, .dac_override, .fowner, .fsetid, .kill, .setgid, .setuid, .setpcap, .net_bind_service,
        .net_raw,
        .sys_chroot, .audit_write, .setfcap,
    ])

    package func contains(_ number: Int32) -> Bool { bits & 1 << UInt64(number) != 0 }
    package func contains(_ capability: Capability) -> Bool { contains(capability.rawValue) }

    package func union(_ other: CapabilitySet) -> CapabilitySet { CapabilitySet(bits: bits | other.bits) }
    package func subtracting(_ other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(bits: bits & ~other.bits)
    }

    /// The words of `--cap-add` and `--cap-drop`: names with or without `CAP_`, in any case, numbers, or `ALL`.
    package init(word: String) throws(CapabilityError) {
        let name = word.lowercased()
        if name == "all" {
            self = .all
        } else if let number = UInt64(name), number < 64 {
            self.init(bits: 1 << number)
        } else if let known = Capability.named(name.hasPrefix("cap_") ? String(name.dropFirst(4)) : name) {
            self.init([known])
        } else {
            throw CapabilityError(word: word)
        }
    }
}

/// A word that names no capability.
package struct CapabilityError: UserFacing, Equatable {
    package let word: String

    package init(word: String) { self.word = word }

    package var message: String { "\(Quoted(word)) is no capability" }
    package var hint: String? {
        let known = Capability.allCases.map { "\($0)" }
        let near = NearMiss.of(word.lowercased(), among: known).map { "Did you mean \($0)? " } ?? ""
        return near + "capabilities(7) lists them; ALL means every one."
    }
}
