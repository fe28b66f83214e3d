import CLinux
import Libc
import Testing

@testable import Platform

private func handoff(_ arguments: [RawString], _ environment: Environment = [:], relay: Int32 = -1) -> Handoff
{
    Handoff(
        arguments: arguments, workingDirectory: "/tmp", environment: environment, relay: relay,
        invokingUID: geteuid())
}

private func place(_ file: borrowing FileDescriptor) -> ForeignDescriptor {
    ForeignDescriptor(pid: getpid(), number: file.rawValue)
}

@Suite("Handoff") struct HandoffTests {
    @Test("arguments, directory and variables cross byte for byte")
    func roundTrip() throws {
        let odd = try #require(RawString(bytes: [0xff, 0x0a, 0x3d, 0x27]))
        var sent = handoff(
            ["login", "", odd, "--", "-x"], ["CD_ENV": odd, "HOME": "/home/ann", "TERM": ""], relay: 7)
        sent.workingDirectory = odd
        let file = try sent.sealed()
        let received = try Handoff(from: place(file), declared: nil)
        #expect(received == sent)
        #expect(received.environment == ["CD_ENV": odd, "TERM": ""])
        #expect(received.remembered == ["HOME": "/home/ann"])
        #expect(received.invokingUID == geteuid())
    }

    @Test(
        "what a variable's name decides",
        arguments: [
            ("CD_DOCKER_AUTH", HandoffVariables.Crossing.applied), ("PD_DOCKER_AUTH", .applied),
            ("https_proxy", .applied),
            ("TERMUX__PREFIX", .applied), ("ANDROID_ROOT", .applied), ("WAYLAND_DISPLAY", .applied),
            ("HOME", .remembered),
            ("XDG_RUNTIME_DIR", .remembered), ("XDG_DATA_HOME", .applied), ("PATH", .dropped),
            ("LD_PRELOAD", .dropped),
            ("LD_LIBRARY_PATH", .dropped), ("IFS", .dropped), ("BASH_ENV", .dropped), ("ENV", .dropped),
            ("SHELL", .dropped), ("USER", .dropped), ("SUDO_UID", .dropped), ("PS4", .dropped),
            ("XCD_A", .dropped),
            ("OPENSSL_CONF", .dropped), ("GCONV_PATH", .dropped), ("cd_user", .dropped), ("", .dropped),
        ] as [(RawString, HandoffVariables.Crossing)])
    func variables(name: RawString, expected: HandoffVariables.Crossing) {
        #expect(HandoffVariables.crossing(name) == expected)
    }

    @Test("the receiver drops what a forged block smuggles in")
    func forged() throws {
        let fields = [
            "chroot-distro handoff 1", "-1", "/", "1", "list", "LD_PRELOAD=/evil.so", "CD_USER=ann", "=", "x",
        ]
        let bytes = Array((fields.joined(separator: "\0") + "\0").utf8)
        let received = try #require(Handoff(decoding: bytes, invokingUID: 1))
        #expect(received.arguments == ["list"] && received.environment == ["CD_USER": "ann"])
    }

    @Test(
        "a block that is not whole is refused",
        arguments: [
            "", "x", "\0", "chroot-distro handoff 1\0", "chroot-distro handoff 1\0-1\0/\00",
            "other\0-1\0/\00\0",
            "chroot-distro handoff 1\0-1\0/\02\0one\0", "chroot-distro handoff 1\0-1\0/\0-1\0",
            "chroot-distro handoff 1\0x\0/\00\0",
        ])
    func damaged(text: String) { #expect(Handoff(decoding: Array(text.utf8), invokingUID: 0) == nil) }

    @Test("a memfd that somebody can still write to is refused")
    func unsealed() throws {
        let file = FileDescriptor(adopting: cd_memfd("open"))
        try file.writeAll(handoff(["list"]).encoded())
        #expect(throws: ElevationError.badHandoff("it is not sealed")) {
            _ = try Handoff(from: place(file), declared: nil)
        }
    }

    @Test("another user than the one whom the tool names is refused")
    func otherUser() throws {
        let file = try handoff(["list"]).sealed()
        #expect(throws: ElevationError.self) { try Handoff(from: place(file), declared: geteuid() + 1) }
        #expect(try Handoff(from: place(file), declared: geteuid()).arguments == ["list"])
    }

    @Test(
        "a memfd that its process has from another user is refused",
        .enabled(if: geteuid() == 0, "needs root"))
    func foreignFile() throws {
        let file = try handoff(["list"]).sealed()
        try syscall("fchown") { fchown(file.rawValue, 12345, 12345) }
        #expect(throws: SystemError.self) { _ = try Handoff(from: place(file), declared: nil) }
    }

    @Test(
        "a file on a disk, a FIFO and a device are refused unopened",
        arguments: ["file", "pipe", "/dev/null"])
    func otherKinds(name: String) throws {
        let scratch = try Scratch()
        try scratch.write("file", String(decoding: handoff(["list"]).encoded(), as: UTF8.self))
        try scratch.fifo("pipe")
        let path = name.hasPrefix("/") ? HostPath(name) : HostPath(scratch.path) / name
        let file = try FileDescriptor.open(path, O_RDWR | O_NONBLOCK)
        #expect(throws: SystemError.self) { _ = try Handoff(from: place(file), declared: nil) }
    }

    @Test(
        "only the exact name of a descriptor is understood",
        arguments: [
            "", "/proc/self/fd/3", "/proc/1/fd/3/", "/proc/1/fd/-3", "/proc/0/fd/3", "/proc/01/fd/3",
            "/proc/1/fd/+3",
            "/proc/1/fdinfo/3", "//proc/1/fd/3", "/proc/1/fd/../root", "proc/1/fd/3", "/proc/1/fd/3 ",
            "/tmp/x",
        ])
    func names(text: String) {
        #expect(ForeignDescriptor(RawString(text)) == nil)
        #expect(ForeignDescriptor("/proc/12/fd/3") == ForeignDescriptor(pid: 12, number: 3))
    }

    @Test("a directory that cannot be entered is said so")
    func workingDirectory() {
        var lost = handoff([])
        lost.workingDirectory = "/no/such/directory"
        let kept = FileDescriptor(adopting: open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        let failure = lost.enterWorkingDirectory()
        _ = fchdir(kept.rawValue)
        #expect(failure == SystemError("chdir", "/no/such/directory", code: ENOENT))
    }

    @Test("root's variables are its own few and what crossed")
    func processEnvironment() {
        let sent = handoff([], ["CD_USER": "ann", "HOME": "/home/ann", "PATH": "/evil", "LD_PRELOAD": "x"])
        let host = HostSystem(HostSystem.Facts())
        let result = sent.processEnvironment(
            current: ["IFS": "x", "LD_PRELOAD": "y", "PATH": "/evil"], on: host)
        #expect(result.names == ["CD_USER", "HOME", "LOGNAME", "PATH", "USER"])
        #expect(result["PATH"]?.text.contains("evil") == false && result["HOME"] != "/home/ann")
    }
}
