import CLinux
import Libc
import Namespaces
import Platform

/// The child that becomes the guest's program.
///
/// All that it does is laid out here, in the parent: until it is that program, it has the parent's memory, and whoever
/// rules inside may kill it at any moment.
enum GuestProcess {
    /// What the supervisor prepared for it.
    struct Entrance: ~Copyable {
        let plan: LaunchPlan
        /// The holder, which does not end while the child is not the guest's program.
        let holder: Int32
        let holderNumber: pid_t
        /// Namespaces of the holder's that the guest joins besides that of mounts.
        let others: NamespaceSet
        /// The container's mount namespace.
        let namespace: Int32
        /// The container's root, in that namespace.
        let root: Int32
        /// The container's own users; -1 when it has the host's.
        let users: Int32
        /// Whether the container has limits, which only count for who is in its control group.
        let isLimited: Bool
        /// The control group to go into.
        let group: ControlGroupEntry
        /// What denies system calls to the guest; `nil` when none are denied.
        let filter: SystemCallFilter?
        /// What it has of the caller's terminal.
        let terminal: Supervisor.Terminal
        /// The guest's end of a terminal of its own; -1 without one.
        let ownTerminal: Int32
        /// Signals that the caller ignores and the guest shall ignore too, as after nohup(1).
        let ignored: [Int32]
        /// Of a detached session.
        let console: DetachedConsole?
        /// Where it starts; -1 for the root.
        let directory: Int32
    }

    /// Starts the guest's program; throws what kept it from being executed, and no child is left then.
    static func start(_ entrance: borrowing Entrance) throws -> pid_t {
        let plan = entrance.plan
        let execution = Execution(plan.command, search: plan.environment["PATH"])
        var failure = cd_guest_failure()
        // Those inside may read the command line of the child, which is this process's own.
        let title =
            entrance.users >= 0 ? cd_cover_title(CommandLine.unsafeArgv, "chroot-distro") : nil
        defer { cd_uncover_title(title) }
        let child = start(entrance, execution, &failure)
        guard child > 0 else { throw reason(failure, plan, execution) }
        return child
    }

    private static func start(
        _ entrance: borrowing Entrance, _ execution: Execution, _ failure: inout cd_guest_failure
    ) -> pid_t {
        let (plan, privileges) = (entrance.plan, entrance.plan.privileges)
        let paths = CStrings(execution.paths)
        let arguments = CStrings(execution.arguments)
        let script = CStrings(execution.script)
        let shell = CStrings(execution.shell)
        let variables = CStrings(plan.environment.entries)
        let hostname = CStrings(plan.hostname.map { [RawString($0)] } ?? [])
        var guest = cd_guest()
        guest.group = entrance.group.directory
        guest.is_limited = entrance.isLimited
        guest.holder = entrance.holder
        guest.holder_number = entrance.holderNumber
        guest.namespaces = entrance.others.rawValue
        guest.mount_namespace = entrance.namespace
        guest.root = entrance.root
        guest.users = entrance.users
        guest.terminal = entrance.ownTerminal
        guest.takes_all = entrance.console != nil
        guest.has_session = entrance.terminal == .none
        guest.output = entrance.console?.guestOutput ?? -1
        guest.hostname = UnsafePointer(hostname.pointer[0])
        guest.is_confined = plan.mode == .isolated
        guest.has_no_new_privileges = privileges.hasNoNewPrivileges
        guest.capabilities = privileges.capabilities.bits
        guest.user = privileges.user
        guest.group_id = privileges.group
        guest.directory = entrance.directory
        guest.needs_directory = plan.workingDirectory.isNeeded
        guest.paths = UnsafePointer(paths.pointer)
        guest.arguments = UnsafePointer(arguments.pointer)
        guest.variables = UnsafePointer(variables.pointer)
        guest.script = script.pointer
        guest.shell = UnsafePointer(shell.pointer[0])
        guest.shell_arguments = UnsafePointer(shell.pointer)
        return entrance.group.memberships.withUnsafeBufferPointer { memberships in
            entrance.ignored.withUnsafeBufferPointer { ignored in
                privileges.groups.withUnsafeBufferPointer { groups in
                    SystemCallFilter.withProgram(entrance.filter) { program in
                        (guest.memberships, guest.membership_count) = (
                            memberships.baseAddress, memberships.count
                        )
                        (guest.ignored, guest.ignored_count) = (ignored.baseAddress, ignored.count)
                        (guest.groups, guest.group_count) = (groups.baseAddress, groups.count)
                        (guest.filter, guest.filter_size) = (program.baseAddress, program.count)
                        return cd_guest_start(&guest, &failure)
                    }
                }
            }
        }
    }

    /// What a failure means to the person who has asked for the session.
    private static func reason(
        _ failure: cd_guest_failure, _ plan: LaunchPlan, _ execution: Execution
    ) -> any Error {
        func error(_ call: String, _ subject: String = "") -> SystemError {
            SystemError(call, subject, code: failure.code)
        }
        switch failure.step {
        case cd_guest_group: return error("write", "the control group of the container")
        case cd_guest_namespaces: return error("setns", "the container's namespaces")
        case cd_guest_mounts: return error("setns", "the container's mounts")
        case cd_guest_root: return error("chroot", "the container's root")
        case cd_guest_users: return error("setns", "the container's users")
        case cd_guest_terminal: return error("ioctl", "the guest's terminal")
        case cd_guest_hostname:
            return LaunchError.inside(
                "the session cannot have a host name of its own: \(error("sethostname").reason)",
                hint: "Leave --hostname out.", .failure)
        case cd_guest_keyring: return error("keyctl")
        case cd_guest_privileges: return error("prctl", "no_new_privs")
        case cd_guest_filter: return error("seccomp")
        case cd_guest_capabilities: return error("prctl", "capabilities")
        case cd_guest_groups: return error("setgroups")
        case cd_guest_group_id: return error("setresgid", "\(plan.privileges.group)")
        case cd_guest_user_id: return error("setresuid", "\(plan.privileges.user)")
        case cd_guest_directory: return LaunchError.cannotEnter(plan.workingDirectory.path, error("chdir"))
        case cd_guest_program: return execution.error(of: Int(failure.path), code: failure.code)
        default: return error("fork")
        }
    }
}
