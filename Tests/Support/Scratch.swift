import CLinux
import Libc
import Platform
import Testing

/// A directory of a test's own, which is gone when the test ends.
///
/// A test asks for one with the trait `.scratch` and finds it as `Scratch.path`. It lies below `/var/tmp`, which is
/// on a real disk, and not below `/tmp`, which containers share.
package enum Scratch {
    @TaskLocal fileprivate static var current: HostPath?

    /// The directory of the running test.
    package static var path: HostPath {
        guard let current else { preconditionFailure("the test lacks the trait .scratch") }
        return current
    }

    /// Makes a directory, runs `body` with it, ends what still runs in it and removes it.
    package static func with<Result>(_ body: (HostPath) throws -> Result) throws -> Result {
        let path = try make()
        defer { clean(path) }
        return try body(path)
    }

    /// Makes a directory that the caller has to `clean`.
    package static func make() throws -> HostPath {
        var template = Array("/var/tmp/chroot-distro-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", "/var/tmp", code: errno) }
        return HostPath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Whatever a test left running, mounted or undeletable is a failure of that test.
    package static func clean(_ path: HostPath) {
        func running() -> [Processes] { Processes.inMounts(of: path) + Processes.ofSessions(below: path) }
        // A holder that has seen the last session go needs a moment to be gone itself.
        if !Waiting.until(within: 20, { running().isEmpty }) {
            let leftovers = running()
            #expect(leftovers.isEmpty, "processes were left behind")
            leftovers.forEach { kill($0.pid, SIGKILL) }
        }
        // Those of a holder that was killed are nobody's any more.
        for group in (try? ControlGroups.all(below: path)) ?? [] {
            #expect(rmdir(group.rawValue) == 0 || errno == ENOENT, "somebody is left in \(group)")
        }
        let mounts = Mountinfo.targets(below: path)
        #expect(mounts.isEmpty, "mounts were left behind")
        mounts.reversed().forEach { umount2($0.rawValue, Int32(MNT_DETACH)) }
        do {
            let parent = try Directory.open(path.parent)
            let mountID = try parent.mountID()
            try remove(RawString(path.lastComponent), in: parent, mountID: mountID)
        } catch {
            Issue.record(error)
        }
    }

    /// Removes a tree, and stops at whatever is not on the mount `mountID`.
    private static func remove(
        _ name: RawString, in parent: borrowing Directory, mountID: UInt64
    ) throws(SystemError) {
        // What is behind a command's back may still be tidying up.
        guard let status = try parent.statusIfPresent(name) else { return }
        guard status.kind == .directory else {
            do { return try parent.removeFile(name) } catch  where error.code == ENOENT { return }
        }
        if geteuid() != 0 { try parent.setPermissions(name, 0o700) }
        let directory = try parent.openDirectory(name)
        // Asked of what was opened, not of the name: something may be mounted there in between.
        guard try directory.mountID() == mountID else {
            throw SystemError("unlinkat", name.description, code: EXDEV)
        }
        try syscall("fchmod", name.description) { fchmod(directory.raw, 0o700) }
        for entry in try directory.entries() { try remove(entry.name, in: directory, mountID: mountID) }
        try parent.removeDirectory(name)
    }
}

/// Gives each test, and each case of it, a scratch directory.
package struct ScratchTrait: TestTrait, SuiteTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
        testCase == nil ? nil : self
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let path = try Scratch.make()
        defer { Scratch.clean(path) }
        try await Scratch.$current.withValue(path, operation: function)
    }
}

extension Trait where Self == ScratchTrait {
    package static var scratch: Self { Self() }
}
