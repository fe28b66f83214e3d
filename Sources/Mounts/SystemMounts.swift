import Libc
import Platform

/// The kernel file systems and device nodes that every container gets.
package enum SystemMounts {
    /// Nodes that every program may expect (the OCI runtime specification, "Default Devices").
    private static let coreNodes: [(RawString, DeviceNode)] = [
        ("null", DeviceNode(1, 3)), ("zero", DeviceNode(1, 5)), ("full", DeviceNode(1, 7)),
        ("random", DeviceNode(1, 8)), ("urandom", DeviceNode(1, 9)), ("tty", DeviceNode(5, 0)),
    ]

    private static let links: [(RawString, RawString)] = [
        ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
    ]

    /// `/proc`, `/sys`, `/dev`, `/dev/pts`, `/dev/shm` and `/run`, all of the container's own.
    package static func plan(devices: HostDevices) -> MountPlan {
        typealias P = MountStep.Parameter
        var steps: [MountStep] = [
            .fileSystem("proc", at: "/proc", parameters: [], [.noSetuid, .noDevices, .noExecute]),
            .fileSystem("sysfs", at: "/sys", parameters: [], [.readOnly, .noSetuid, .noDevices, .noExecute]),
            .fileSystem(
                "tmpfs", at: "/dev", parameters: [P("mode", "0755"), P("size", "64m")],
                [.noSetuid, .noExecute]),
        ]
        for (name, node) in coreNodes { steps.append(.node(GuestPath(components: ["dev", name]), node)) }
        steps += [
            .directory("/dev/pts", mode: 0o755),
            .fileSystem(
                "devpts", at: "/dev/pts",
                parameters: [P("newinstance"), P("gid", "5"), P("mode", "0620"), P("ptmxmode", "0666")],
                [.noSetuid, .noExecute]),
            .directory("/dev/mqueue", mode: 0o755), .directory("/dev/shm", mode: 0o1777),
            .fileSystem(
                "tmpfs", at: "/dev/shm", parameters: [P("mode", "1777")], [.noSetuid, .noDevices, .noExecute]),
        ]
        for (name, target) in links { steps.append(.link(GuestPath(components: ["dev", name]), to: target)) }
        steps += devices.steps
        steps.append(
            .fileSystem("tmpfs", at: "/run", parameters: [P("mode", "0755")], [.noSetuid, .noDevices]))
        return MountPlan(steps)
    }

    /// POSIX message queues (mq_overview(7)); only where the container has some of its own.
    package static let messageQueues = MountStep.fileSystem(
        "mqueue", at: "/dev/mqueue", parameters: [], [.noSetuid, .noDevices, .noExecute])

    /// What of `/proc` and `/sys` tells of the host or reaches it, and is covered in an isolated container.
    private static let masked: [GuestPath] = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/key-users", "/proc/keys",
        "/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/kmsg", "/proc/latency_stats",
        "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger", "/proc/timer_list", "/proc/timer_stats",
        "/proc/vmallocinfo", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/kernel/debug",
        "/sys/kernel/tracing", "/sys/fs/cgroup", "/sys/fs/bpf", "/sys/fs/pstore",
    ]

    /// What may be read and not written.
    private static let sealed: [GuestPath] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"]

    /// How often each processor of this machine was too hot, where it counts that.
    package static func heatCounters(below folder: HostPath = "/sys/devices/system/cpu") -> [GuestPath] {
        let name: RawString = "thermal_throttle"
        // All processors have them, or none.
        guard access((folder / "cpu0" / name.text).rawValue, F_OK) == 0,
            let entries = try? Directory.open(folder).entries()
        else { return [] }
        let processors = entries.map(\.name).filter { entry in
            let number = entry.text.dropFirst(3)
            return entry.text.hasPrefix("cpu") && !number.isEmpty
                && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        let place: GuestPath = "/sys/devices/system/cpu"
        return processors.sorted().map { place.appending($0).appending(name) }
    }

    /// The covers of an isolated container; they come after everything else.
    package static let covers: [MountStep] = masked.map { .mask($0) } + sealed.map { .seal($0) }

    /// Places that programs write to whatever image they are in; of an own file system when the root is read-only.
    package static func writable(_ path: GuestPath) -> MountStep {
        .fileSystem("tmpfs", at: path, parameters: [.init("mode", "1777")], [.noSetuid, .noDevices])
    }
}
