import Libc
import Platform
import TestSupport
import Testing

/// Where every mount is shared, as systemd makes it, what happens in a container must still stay there.
@Suite("On a host whose mounts are shared", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct SharedRootTests {
    @Test("what a guest mounts or unmounts in a bind never reaches the host", arguments: [false, true])
    func propagation(joins: Bool) throws {
        let program = try Program.with("box")
        let script = """
            set -e
            mount --make-rshared /
            mkdir -p "$2/src/sub"
            mount -t tmpfs below "$2/src/sub"
            touch "$2/src/sub/canary"
            if [ "$3" = true ]; then
                mkfifo "$2/go"
                "$1" login box -- sh -c 'echo up; cat' <>"$2/go" >"$2/up" &
                while ! grep -q up "$2/up"; do sleep 0.05; done
            fi
            "$1" login box --bind "$2/src:/data" -- sh -c \\
                'umount /data/sub; mount -t tmpfs x /data; mkdir -p /data/sub; touch /data/wrong' || true
            [ ! "$3" = true ] || "$1" kill box
            ls "$2/src" "$2/src/sub"
            grep -c " $2/src" /proc/self/mountinfo
            """
        var environment = program.environment
        environment["CD_FORCE_NO_COLORS"] = "1"
        let outcome = try Run.program(
            "unshare",
            ["--mount", "sh", "-c", script, "sh", BuiltBinary.path, Scratch.path.rawValue, "\(joins)"],
            environment: environment, timeout: 60)
        let canary = Scratch.path / "src"
        #expect(
            outcome.stdout.hasSuffix("\(canary.rawValue):\nsub\n\n\(canary.rawValue)/sub:\ncanary\n1\n"),
            "\(outcome.stdout) \(outcome.stderr)")
    }
}
