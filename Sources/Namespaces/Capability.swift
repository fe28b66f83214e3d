/// The capabilities of capabilities(7), by their numbers.
package enum Capability: Int32, CaseIterable, Sendable {
    case chown, dac_override, dac_read_search, fowner, fsetid, kill, setgid, setuid, setpcap, linux_immutable
    case net_bind_service, net_broadcast, net_admin, net_raw, ipc_lock, ipc_owner, sys_module, sys_rawio,
        sys_chroot
    case sys_ptrace, sys_pacct, sys_admin, sys_boot, sys_nice, sys_resource, sys_time, sys_tty_config, mknod,
        lease
    case audit_write, audit_control, setfcap, mac_override, mac_admin, syslog, wake_alarm, block_suspend,
        audit_read
    case perfmon, bpf, checkpoint_restore

    static func named(_ name: String) -> Capability? { allCases.first { "\($0)" == name } }

    /// What the guest of an ordinary session does without: it would change the running kernel itself.
    package static let droppedByDefault: [Capability] = [
        .sys_module, .sys_rawio, .sys_boot, .sys_time, .mac_override, .mac_admin, .syslog,
    ]
}
