import Archive
import CLI
import Libc
import OCI
import Platform
import Session
import Store

/// Makes a container of its backup: it is prepared beside the others and put in its place at the end.
final class Restoration {
    private let context: Context
    private let isForced: Bool
    private let isVerbose: Bool
    private let store: ContainerStore
    private var name: ContainerName?
    private var lock: FileLock?
    private var staging: Staging?
    private var size: Int64 = 0
    /// What errors call the file that is read.
    private var source: HostPath = "standard input"
    /// What the root holds by now, as long as increments follow.
    private var base: Digest?

    init(_ context: Context, isForced: Bool, isVerbose: Bool) throws {
        self.context = context
        self.isForced = isForced
        self.isVerbose = isVerbose
        store = try context.store()
        // What cannot be thrown away now is in nobody's way.
        try? store.sweep()
    }

    /// Reads a whole backup and the increments to it, one after the other, and returns the name of the container that
    /// they have become.
    func run(_ files: [BackupFile]) throws -> ContainerName {
        let outcome = Result { try read(files) }
        guard case .failure(let error) = outcome else { return try publish() }
        if let staging = staging.take() { try? staging.discard(in: store) }
        throw error
    }

    private func read(_ files: [BackupFile]) throws {
        for file in files {
            source = file.path
            let bytes = try file.source()
            let digest = files.count > 1 ? try StreamDigest() : nil
            do {
                try ArchiveStream.read(bytes, observing: { digest?.update($0) }) {
                    try unpack($0, isAlone: digest == nil)
                }
            } catch {
                throw BackupError.translate(error, of: file.path)
            }
            base = try digest?.finish()
        }
        if files.count > 1, let root = try rootDirectory() { size = try TreeSize.measure(root).apparent }
    }

    // MARK: - Unpacking

    private func unpack(_ reader: TarReader, isAlone: Bool) throws {
        guard var entry = try reader.next() else { throw BackupUnpacker.Flaw.noTree }
        while BackupMember.read(entry.path) == nil {
            guard let next = try reader.next() else { throw BackupUnpacker.Flaw.noTree }
            entry = next
        }
        guard let container = BackupMember.read(entry.path)?.container else { return }
        // The first name of an archive that is no backup is no name of a container either.
        guard let name = try? ContainerName(container.text) else { throw BackupUnpacker.Flaw.noTree }
        if let first = self.name, first != name {
            throw BackupUnpacker.Flaw.anotherContainer(container, than: RawString(first.description))
        }
        if self.name == nil { try begin(name) }
        try unpack(entry, reader, container, isAlone: isAlone)
    }

    /// Only now is it known which container is meant.
    private func begin(_ name: ContainerName) throws {
        self.name = name
        lock = try store.lock(name, .exclusive, for: "restore")
        if try store.contains(name), !isForced { throw BackupError.nameTaken(name) }
        staging = try store.stage(name, replacing: isForced)
        context.diagnostics.info("Restoring \(name)")
    }

    private func unpack(
        _ first: TarEntry, _ reader: TarReader, _ container: RawString, isAlone: Bool
    ) throws {
        guard let root = try rootDirectory() else { return }
        var unpacker = try BackupUnpacker(container, into: root, following: base)
        unpacker.makesLinksReal = isAlone
        let diagnostics = context.diagnostics
        if isVerbose { unpacker.onMember = { diagnostics.info("\($0)") } }
        try unpacker.take(first, from: reader)
        while let entry = try reader.next() { try unpacker.take(entry, from: reader) }
        let report = try unpacker.finish()
        size = report.bytes
        if let manifest = unpacker.manifest { try write(manifest) }
        if let summary = report.summary { diagnostics.warning(summary) }
        if unpacker.leftOut > 0 {
            diagnostics.warning(
                "\(unpacker.leftOut) entries of the archive belong to no container and were left out")
        }
        if unpacker.brokenLinks > 0 {
            diagnostics.warning(
                "\(unpacker.brokenLinks) hard links that proot had emulated lead nowhere, and stay symbolic links"
            )
        }
    }

    // A noncopyable member of a class is only borrowed in a function of its own.

    private func rootDirectory() throws -> Directory? {
        try staging?.rootfs().directory.duplicate()
    }

    private func write(_ manifest: [UInt8]) throws { try staging?.write("manifest.json", manifest) }

    // MARK: - Publishing

    private func publish() throws -> ContainerName {
        guard let name, let staging = staging.take() else { throw BackupError.notABackup(source) }
        if try store.contains(name) {
            try Shutdown(name, in: context.layout).run(.gently)
            try store.replace(with: staging)
        } else {
            try store.commit(staging)
        }
        let container = try store.container(name)
        Flushing.goOn(container)
        do { try store.enter(container, size: size) } catch {
            context.diagnostics.warning(
                "\(name) is restored, but not in the index yet; chroot-distro list puts it there: "
                    + ((error as? any UserFacing)?.message ?? "\(error)"))
        }
        lock = nil
        return name
    }
}
