import CLinux
import Libc
import Mounts
import Namespaces
import Platform

/// What a session needs in its running container before the guest's program can start there.
struct GuestPreparation {
    let plan: LaunchPlan
    /// What is new to the container.
    let added: [MountStep]
    let interface: MountInterface

    /// Sees to all of it, by a child that goes inside; without one where nothing is missing, as nearly always.
    ///
    /// `users` is the container's own user namespace, or -1.
    func carryOut(
        in root: borrowing Rootfs, of namespace: borrowing FileDescriptor, users: Int32,
        _ binds: borrowing OpenedBinds
    ) throws {
        guard !added.isEmpty || lacksHome(root) || lacksDirectory(root) else { return }
        let pipe = try Pipe()
        let child = try Fork.child {
            // Nobody inside may look into a process whose memory is the host's.
            _ = cd_set_parent_death_signal(SIGKILL)
            _ = cd_set_dumpable(false)
            cd_retitle(CommandLine.unsafeArgv, "chroot-distro")
            do {
                try enter(root, namespace, users: users, binds)
                return .success
            } catch {
                ChildReport.send(error, over: pipe.raw.writing)
                return .failure
            }
        }
        let report = pipe.readEnd()
        let outcome = Result { _ = try ChildReport.receive(from: report) }
        let status = try Reaping.wait(for: child)
        try outcome.get()
        guard status == .success else {
            throw LaunchError.inside(
                "somebody has ended what was to prepare the session", hint: nil, .failure)
        }
    }

    /// In the child.
    private func enter(
        _ root: borrowing Rootfs, _ namespace: borrowing FileDescriptor, users: Int32,
        _ binds: borrowing OpenedBinds
    ) throws {
        try Isolation.join(namespace, .mount)
        try Isolation.takeRoot(root.directory)
        if !added.isEmpty {
            let inside = Rootfs(adopting: try Directory.open("/"))
            try KernelMounter(root: inside, interface: interface).carryOut(MountPlan(added), binds)
        }
        if users >= 0 {
            try Isolation.join(users: users)
            try Isolation.becomeItsRoot()
            _ = cd_set_dumpable(false)
        }
        let inside = Rootfs(
            adopting: Directory(adopting: try FileDescriptor.open("/", cd_o_path | O_DIRECTORY)))
        if lacksHome(inside) { makeHome(in: inside) }
        if lacksDirectory(inside) {
            _ = try inside.openOrMakeDirectory(GuestPath(plan.workingDirectory.path))
        }
    }

    // MARK: - The home

    private func lacksHome(_ root: borrowing Rootfs) -> Bool {
        guard let name = plan.home.lastComponent, name != ".." else { return false }
        return Self.isMissing(plan.home, in: root)
    }

    /// Whether there is certainly nothing.
    private static func isMissing(_ path: GuestPath, in root: borrowing Rootfs) -> Bool {
        do { return try root.status(path) == nil } catch { return false }
    }

    /// A user whose home is missing gets one, as `useradd -m` would make it, but empty; where nobody can, there is none.
    private func makeHome(in root: borrowing Rootfs) {
        guard let name = plan.home.lastComponent,
            let parent = try? root.openOrMakeDirectory(plan.home.parent),
            (try? parent.makeDirectory(name, mode: 0o700)) != nil
        else { return }
        try? parent.setOwner(name, plan.privileges.user, plan.privileges.group)
    }

    // MARK: - The working directory

    private func lacksDirectory(_ root: borrowing Rootfs) -> Bool {
        guard case .made(let path) = plan.workingDirectory else { return false }
        return Self.isMissing(GuestPath(path), in: root)
    }

    /// Opens where the guest starts; -1 for the root.
    ///
    /// Never follows a magic link of `/proc`, which could lead out of the container. Whether the guest's user may go
    /// there is for the guest to find out.
    func openWorkingDirectory(in root: borrowing Rootfs) throws -> FileDescriptor {
        let path = plan.workingDirectory.path
        do {
            return try root.open(GuestPath(path), cd_o_path | O_DIRECTORY)
        } catch {
            if plan.workingDirectory.isNeeded { throw LaunchError.cannotEnter(path, error) }
            return FileDescriptor(adopting: -1)
        }
    }
}
