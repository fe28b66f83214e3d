import Archive
import Libc
import Platform

@testable import OCI

/// A root to fill, and beside it canaries that nothing may touch; all of it goes with this value.
final class LayersScratch {
    let path: String
    var root: String { path + "/root" }

    init() throws {
        var template = Array("/var/tmp/layers-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard Self.sh("cd \(path) && mkdir root outside && echo canary > outside/file && mkdir outside/dir")
        else {
            throw SystemError("mkdir", code: EIO)
        }
    }

    deinit {
        let unlock = "find '\(path)' -type d ! -perm -700 -exec chmod -R u+rwX {} \\; 2> /dev/null"
        if !isRoot { Self.sh(unlock) }
        _ = system("rm -rf --one-file-system '\(path)'")
    }

    @discardableResult
    static func sh(_ command: String) -> Bool { system(command) == 0 }

    /// Whether a command can be carried out in a directory like that of the tests.
    static func can(_ command: String) -> Bool {
        sh(
            "work=$(mktemp -d -p /var/tmp) && cd $work && (\(command)) 2> /dev/null; end=$?; rm -rf $work; exit $end"
        )
    }

    /// Runs a shell test inside the root.
    func holds(_ condition: String) -> Bool { Self.sh("cd '\(root)' && \(condition)") }

    /// Whether everything beside the root is as it was.
    var canariesLive: Bool {
        Self.sh(
            "cd '\(path)' && [ \"$(ls)\" = \"outside\nroot\" ] && [ \"$(cat outside/file)\" = canary ]"
                + " && [ \"$(ls outside)\" = \"dir\nfile\" ] && [ -z \"$(ls outside/dir)\" ]"
                + " && [ $(stat -c %h-%a outside/file) = 1-644 ]")
    }

    @discardableResult
    func apply(
        _ layers: [Layer], _ rules: MemberRules = .layer, hasOpenat2: Bool = true, ledgerLimit: Int = 32 << 20
    ) throws -> TreeReport {
        let directory = try Directory.open(HostPath(root))
        let applier = try LayerApplier(
            directory, hasOpenat2: hasOpenat2 && Kernel.hasOpenat2, ledgerLimit: ledgerLimit)
        var total = TreeReport()
        for layer in layers {
            total += try LayerPipeline.apply(MemorySource(layer.bytes()), to: applier, rules)
        }
        return total
    }
}

/// The members of a layer.
struct Layer {
    private(set) var members: [(TarEntry, [UInt8])] = []

    init(joining members: [(TarEntry, [UInt8])]) { self.members = members }

    init(_ members: Member...) { self.members = members.map { ($0.entry, $0.data) } }

    func bytes() throws -> [UInt8] {
        let sink = MemorySink()
        let writer = TarWriter(sink)
        for (entry, data) in members {
            try writer.append(entry)
            try writer.write(data)
        }
        try writer.finish()
        return sink.bytes
    }
}

/// One member in a word: `.file("a", "text")`.
struct Member {
    var entry: TarEntry
    var data: [UInt8] = []

    init(_ kind: TarEntry.Kind, _ path: RawString, _ permissions: mode_t, to target: RawString = "") {
        entry = TarEntry(kind, path, permissions: permissions)
        entry.linkTarget = target
        entry.owner = getuid()
        entry.group = getgid()
        entry.modified = timespec(tv_sec: 1_600_000_000, tv_nsec: 123_456_789)
    }

    static func file(_ path: RawString, _ text: String = "new", mode: mode_t = 0o644) -> Member {
        var member = Member(.regular, path, mode)
        member.data = Array(text.utf8)
        member.entry.size = Int64(member.data.count)
        return member
    }
    static func directory(_ path: RawString, mode: mode_t = 0o755) -> Member {
        Member(.directory, path, mode)
    }
    static func link(_ path: RawString, to target: RawString) -> Member {
        Member(.hardLink, path, 0o644, to: target)
    }
    static func symlink(_ path: RawString, to target: RawString) -> Member {
        Member(.symbolicLink, path, 0o777, to: target)
    }
    static func fifo(_ path: RawString) -> Member { Member(.fifo, path, 0o600) }
    static func device(_ path: RawString, major: UInt32, minor: UInt32) -> Member {
        var member = Member(.characterDevice, path, 0o666)
        (member.entry.major, member.entry.minor) = (major, minor)
        return member
    }

    func changing(_ change: (inout TarEntry) -> Void) -> Member {
        var result = self
        change(&result.entry)
        return result
    }
}

let isRoot = geteuid() == 0
func hasProgram(_ name: String) -> Bool { system("command -v \(name) > /dev/null") == 0 }
