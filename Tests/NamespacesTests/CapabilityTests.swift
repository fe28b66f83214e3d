import Namespaces
import Testing

@Suite("The capabilities")
struct CapabilityTests {
    @Test(
        "have the numbers of capabilities(7)",
        arguments: [
            (.chown, 0), (.setpcap, 8), (.sys_module, 16), (.sys_rawio, 17), (.sys_admin, 21),
            (.sys_boot, 22),
            (.sys_time, 25), (.mknod, 27), (.setfcap, 31), (.mac_override, 32), (.mac_admin, 33),
            (.syslog, 34),
            (.perfmon, 38), (.checkpoint_restore, 40),
        ] as [(Capability, Int32)])
    func numbers(of capability: Capability, is number: Int32) { #expect(capability.rawValue == number) }

    @Test("leave a session without those that change the running kernel, and with those that people live by")
    func dropped() {
        let dropped = Set(Capability.droppedByDefault)
        #expect(dropped.isSuperset(of: [.sys_module, .sys_rawio, .sys_boot, .sys_time, .mac_admin, .syslog]))
        #expect(dropped.isDisjoint(with: [.sys_admin, .chown, .setuid, .net_admin, .mknod, .sys_chroot]))
    }
}
