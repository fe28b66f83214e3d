import Namespaces
import Testing

@Suite("A set of capabilities")
struct CapabilitySetTests {
    @Test(
        "is named with and without CAP_, in any case, and by number",
        arguments: ["NET_ADMIN", "net_admin", "CAP_NET_ADMIN", "cap_net_admin", "12"])
    func words(_ word: String) throws {
        #expect(try CapabilitySet(word: word) == CapabilitySet([.net_admin]))
    }

    @Test("takes ALL for every one, also those that have no name yet")
    func everything() throws {
        let all = try CapabilitySet(word: "ALL")
        #expect(Capability.allCases.allSatisfy { all.contains($0) } && all.contains(63))
    }

    @Test(
        "refuses what is none, and says what may have been meant",
        arguments: ["net_admim", "", "64", "-1", "CAP_"])
    func unknown(_ word: String) {
        #expect(throws: CapabilityError(word: word)) { try CapabilitySet(word: word) }
        #expect(CapabilityError(word: "net_admim").hint?.contains("net_admin") == true)
    }

    @Test("of an ordinary session has what a future kernel brings, and not what is dropped")
    func standard() {
        #expect(CapabilitySet.standard.contains(41))
        #expect(Capability.droppedByDefault.allSatisfy { !CapabilitySet.standard.contains($0) })
        #expect(CapabilitySet.standard.contains(.sys_admin) && CapabilitySet.standard.contains(.mknod))
    }

    @Test(
        "of a container that has no other boundary has nothing that reaches beyond it",
        arguments: [
            .sys_admin, .mknod, .sys_ptrace, .dac_read_search, .net_admin, .sys_resource, .bpf, .perfmon,
            .sys_module,
            .sys_rawio, .checkpoint_restore, .syslog, .linux_immutable,
        ] as [Capability])
    func confined(_ capability: Capability) {
        #expect(!CapabilitySet.confined.contains(capability))
        #expect(CapabilitySet.confined.contains(.chown) && CapabilitySet.confined.contains(.setuid))
        #expect(!CapabilitySet.confined.contains(41))
    }
}
