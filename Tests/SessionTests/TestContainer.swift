import Libc
import Platform
import Store
import TestSupport

/// A container with a static busybox in a store of the test's own, and the program that works on it.
struct TestContainer {
    let data: HostPath
    let name: String

    /// Makes the container below a directory, which should be the test's scratch directory.
    init(in data: HostPath, name: String = "bb") throws {
        self.data = data
        self.name = name
        try Run.shell(
            """
            R=$1/chroot-distro/containers/$2/rootfs
            mkdir -p $R; cd $R
            mkdir -p bin dev etc home/user proc root run sys tmp usr var; chmod 1777 tmp
            cp /bin/busybox bin/busybox
            for a in sh ash cat ls echo id pwd stat hostname mount umount mkdir touch sleep setsid readlink tty stty head \
                grep kill dd yes wc true false env ln rm chmod test ps; do ln -s busybox bin/$a; done
            printf 'root:x:0:0:root:/root:/bin/sh\\nuser:x:1000:1000:User:/home/user:/bin/sh\\n' >etc/passwd
            printf 'root:x:0:\\nuser:x:1000:\\nwheel:x:10:root,user\\n' >etc/group
            chown 1000:1000 home/user
            """, data.rawValue, name)
    }

    var rootfs: HostPath { data / "chroot-distro/containers" / name / "rootfs" }
    var run: HostPath { data / "chroot-distro/run" / name }

    var environment: [String: String] {
        Run.environment.merging(["XDG_DATA_HOME": data.rawValue, "XDG_CACHE_HOME": (data / "cache").rawValue])
        { $1 }
    }

    /// Runs the program.
    func program(_ words: [String], input: [UInt8] = [], timeout: Double = 60) throws -> Run.Outcome {
        try Run.program(BuiltBinary.path, words, environment: environment, input: input, timeout: timeout)
    }

    /// Runs a command in the container.
    func login(_ options: [String] = [], _ command: String..., timeout: Double = 60) throws -> Run.Outcome {
        try program(["login", name] + options + ["--"] + command, timeout: timeout)
    }

    /// Runs a script in the container.
    func script(_ text: String, _ options: [String] = [], timeout: Double = 60) throws -> Run.Outcome {
        try login(options, "sh", "-c", text, timeout: timeout)
    }

    func start(_ words: [String]) throws -> Running {
        try Running.start(BuiltBinary.path, words, environment: environment)
    }

    /// Starts a script in the container.
    func start(script: String, _ options: [String] = []) throws -> Running {
        try start(["login", name] + options + ["--", "sh", "-c", script])
    }

    /// Starts a command in the container on a terminal.
    func terminal(_ command: [String] = [], options: [String] = []) throws -> TestTerminal {
        let words = ["login", name] + options + (command.isEmpty ? [] : ["--"] + command)
        return try TestTerminal(BuiltBinary.path, words, environment: environment)
    }

    /// The same through a shell of the host, `$1` being the program.
    func terminal(shell text: String) throws -> TestTerminal {
        try TestTerminal("/bin/sh", ["-c", text, "sh", BuiltBinary.path], environment: environment)
    }

    /// What the names of this store's control groups end with: device and inode of where it keeps what runs.
    var groupSuffix: String {
        get throws { try ControlGroups.suffix(in: data / "chroot-distro/run") }
    }

    /// The recorded holder.
    func holder() throws -> HolderRecord? {
        let layout = StateLayout(
            data: data / "chroot-distro", cache: data / "cache", run: data / "chroot-distro/run")
        return SessionRegistry.read(try ContainerName(name), in: layout)?.recordedHolder()
    }

    /// Kills the holder and waits for its end.
    func killHolder() throws {
        guard let holder = try holder()?.identity.open() else { return }
        try holder.signal(SIGKILL)
        _ = holder.wait(timeout: .seconds(10))
    }

    /// Waits until nothing of the container runs; what is left when the time is over.
    func leftovers(within seconds: Double = 30) -> [Processes] {
        let deadline = Clock.now + seconds
        while true {
            let left = Processes.inMounts(of: data)
            if left.isEmpty || Clock.now > deadline { return left }
            usleep(10_000)
        }
    }
}
