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
        // Alone: nobody starts a session, since it would stand still with the others or change what is being read.
        let lock = try store.lock(name, .exclusive, for: "backup")
        let container = try store.container(name)
        // Forks, so it comes before any thread.
        let freeze = try context.hold(name, isLive: options.isLive)
        try write(container, to: file, path, format)
        context.letGo(freeze)
        lock.release()
        guard let path else { return }
        context.diagnostics.info(
            "Wrote \(path) (\(ByteCount(try FileDescriptor.open(path, cd_o_path).status().size)))")
    }

    // MARK: - Writing

    private func write(
        _ container: borrowing Container, to file: PendingFile?, _ path: HostPath?, _ format: Compression
    ) throws {
        let contents = try BackupContents(container, options)
        guard let file, let path else {
            let output = FileDescriptor(adopting: try syscall("dup") { fcntl(1, F_DUPFD_CLOEXEC, 3) })
            return try pack(contents, into: FileSink(output), format)
        }
        do {
            try pack(contents, into: FileSink(file.descriptor.duplicate()), format)
            if options.verifies {
                try file.flush()
                try file.descriptor.seek(to: 0)
                try contents.verify(FileSource(file.descriptor.duplicate()))
            }
            try file.publish()
        } catch let error as SystemError {
            throw error.code == EEXIST ? BackupError.exists(path) : BackupError.cannotWrite(path, error)
        }
    }

    private func pack(_ contents: BackupContents, into sink: any ByteSink, _ format: Compression) throws {
        let processors = max(1, min(32, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let encoder = try format.encoder(sink, threads: processors)
        let tar = TarWriter(BufferedSink(encoder))
        let display = ProgressDisplay(context.diagnostics)
        defer { display.close() }
        let total = try? PublicIndex.read(context.layout)?.containers.first { $0.name == name.description }?
            .size
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
