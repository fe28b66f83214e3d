import Archive
import CLI
import CLinux
import Libc
import Platform
import Store

/// Writes a container into an archive.
struct Backup {
    private let context: Context
    private let name: ContainerName
    private let options: BackupOptions

    /// What errors call the output that has no name.
    private static let standardOutput: HostPath = "standard output"

    init(_ context: Context, of name: ContainerName, _ options: BackupOptions) {
        self.context = context
        self.name = name
        self.options = options
    }

    /// Writes to a new file, or to standard output.
    func run(to path: HostPath?) throws {
        let format = try options.format(of: path)
        if path == nil, Terminal.isTerminal(1) { throw BackupError.terminal }
        let store = try context.store()
        guard try store.contains(name) else { throw try store.notInstalled(name) }
        let file = try path.map { try context.newFile($0) }
        let base = try options.base.map { try readBase($0) }
        // Alone: nobody starts a session, since it would stand still with the others or change what is being read.
        let lock = try store.lock(name, .exclusive, for: "backup")
        let container = try store.container(name)
        // Forks, so it comes before any thread.
        let freeze = try context.hold(name, isLive: options.isLive)
        let contents = try BackupContents(container, options, since: base)
        do { try write(contents, to: file, format) } catch let error as SystemError {
            throw BackupError.cannotPublish(path ?? Self.standardOutput, error)
        }
        context.letGo(freeze)
        lock.release()
        if !contents.isSameRoot {
            context.diagnostics.warning(
                "\(name) was made anew since that backup, so that the increment holds all of it")
        }
        guard let path else { return }
        context.diagnostics.info(
            "Wrote \(path) (\(ByteCount(try FileDescriptor.open(path, cd_o_path).status().size)))")
    }

    private func readBase(_ base: BackupFile) throws -> BackupBase {
        context.diagnostics.info("Reading \(base.path)")
        return try BackupBase.read(base.source(), at: base.path, of: name)
    }

    // MARK: - Writing

    private func write(_ contents: BackupContents, to file: PendingFile?, _ format: Compression) throws {
        guard let file else {
            let output = FileDescriptor(adopting: try syscall("dup") { fcntl(1, F_DUPFD_CLOEXEC, 3) })
            return try pack(contents, into: FileSink(output), format)
        }
        try pack(contents, into: FileSink(file.descriptor.duplicate(), flushing: true), format)
        if options.verifies {
            try file.flush()
            try file.descriptor.seek(to: 0)
            try contents.verify(FileSource(file.descriptor.duplicate()))
        }
        try file.publish()
    }

    private func pack(_ contents: BackupContents, into sink: any ByteSink, _ format: Compression) throws {
        let processors = max(1, min(32, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let encoder = try format.encoder(sink, threads: processors)
        let tar = TarWriter(BufferedSink(encoder))
        let display = ProgressDisplay(context.diagnostics)
        defer { display.close() }
        let size = try? PublicIndex.read(context.layout)?.containers.first { $0.name == name.description }?
            .size
        // Nobody knows how large an increment becomes.
        let total = options.base == nil ? size : nil
        let (diagnostics, label) = (context.diagnostics, name.description)
        var (done, shown) = (Int64(0), Int64(0))
        let isVerbose = options.isVerbose
        try contents.read { entry, source in
            try tar.append(entry, from: source)
            if isVerbose { diagnostics.info("\(entry.path)") }
            done = done.saturating(adding: entry.size)
            guard done - shown >= 1 << 20 else { return }
            shown = done
            display.update(id: label, label: label, done: done, total: total, phase: "backing up")
        }
        try tar.finish()
        display.close()
        contents.omissions.tell(diagnostics)
    }
}
