import CLI
import Libc
import Platform
import Store

/// What `copy` and `sync` have in common: places, owners, locks, and what is said about it.
struct CopyRun {
    private let source: RawString
    private let destination: RawString
    private let manner: CopyRequest.Manner
    private let ownerSpec: OwnerSpec?
    private let isVerbose: Bool
    private let isQuiet: Bool

    static let operands = [Operand("SRC", .containerPath), Operand("DEST", .containerPath)]

    static let flags = [
        Flag(
            "chown", value: "USER[:GROUP]",
            help: "Give the copies to this user and group of the destination, by name or number"),
        Flag("verbose", short: "v", group: "talk", help: "Name each entry"),
        Flag("quiet", short: "q", group: "talk", help: "Print nothing but errors"),
    ]

    static let places = CommandSpec.Section(
        "Places",
        paragraphs: [
            "A path in a container is written NAME:PATH, from its root on. Whatever has a slash before its first colon is a path of this host, such as ./a:b."
        ])

    init(_ arguments: ParsedArguments, _ manner: CopyRequest.Manner) throws(UsageError) {
        source = arguments.rawOperand("SRC") ?? ""
        destination = arguments.rawOperand("DEST") ?? ""
        self.manner = manner
        isVerbose = arguments.isSet("verbose")
        isQuiet = arguments.isSet("quiet")
        guard let text = arguments.raw("chown") else {
            ownerSpec = nil
            return
        }
        guard let spec = OwnerSpec(text) else {
            throw arguments.invalid(
                "chown", "\(text) names no owner", hint: "Write USER, USER:GROUP or :GROUP.")
        }
        ownerSpec = spec
    }

    func run(in context: borrowing Context) throws -> ExitStatus {
        context.diagnostics.isQuiet = isQuiet
        let request = try CopyRequest(
            manner, from: place(source, context), to: place(destination, context))
        let store = try context.store()
        for name in request.containers where try !store.contains(name) {
            throw try missing(name, request, store)
        }
        let locks = try Locks.take(request.containers, in: store)
        let from = try Self.root(request.source, in: store)
        let to = try Self.root(request.destination, in: store)
        let owner = try owner(request, to, context)
        let report = try copy(FileCopy(request, owner: owner, from: from, to: to), context.diagnostics)
        locks.release()
        for place in [request.source, request.destination] {
            if let covered = CoveredPlace(place, in: context.layout) {
                context.diagnostics.warning(covered.message)
            }
        }
        say(report, request, owner, context.diagnostics)
        if report.failures > 0 || (manner == .move && !report.isWhole) {
            throw CopyError.incomplete(failures: report.failures, isMove: manner == .move)
        }
        return .success
    }

    // MARK: - Places

    private func place(_ word: RawString, _ context: borrowing Context) throws -> FilePlace {
        try FilePlace(
            word, workingDirectory: context.caller.workingDirectory,
            home: context.caller.home.map { RawString($0.rawValue) })
    }

    /// A file of the host with a colon in its name looks like one in a container.
    private func missing(
        _ name: ContainerName, _ request: CopyRequest, _ store: borrowing ContainerStore
    ) throws -> any Error {
        let error = try store.notInstalled(name)
        let word = request.source.container == name ? request.source.text : request.destination.text
        return word.withCString({ access($0, F_OK) }) == 0 ? NoContainer(error: error, word: word) : error
    }

    private static func root(_ place: FilePlace, in store: borrowing ContainerStore) throws -> Rootfs {
        guard let name = place.container else { return Rootfs(adopting: try Directory.open("/")) }
        return try store.container(name).rootfs()
    }

    /// Shared, so that sessions go on and other copies too; in one order, so that nobody waits for each other.
    private struct Locks: ~Copyable {
        let first: FileLock?
        let second: FileLock?

        static func take(_ names: [ContainerName], in store: borrowing ContainerStore) throws -> Locks {
            let first = try lock(names.first, in: store)
            let second = try lock(names.count > 1 ? names.last : nil, in: store)
            return Locks(first: first, second: second)
        }

        private static func lock(
            _ name: ContainerName?, in store: borrowing ContainerStore
        ) throws -> FileLock? {
            guard let name else { return nil }
            return try store.lock(name, .shared, for: "copy")
        }

        consuming func release() {}
    }

    // MARK: - Owners

    private func owner(
        _ request: CopyRequest, _ root: borrowing Rootfs, _ context: borrowing Context
    ) throws -> OwnerRule {
        if let ownerSpec {
            return try ownerSpec.rule(
                request.destination.container == nil ? .host : OwnerSpec.Accounts(GuestAccounts(of: root)))
        }
        guard request.destination.container == nil, let caller = context.caller.identity else { return .kept }
        return .caller(user: caller.user, group: caller.group)
    }

    // MARK: - Talking

    private func copy(_ job: consuming FileCopy, _ diagnostics: Diagnostics) throws -> CopyReport {
        let display = ProgressDisplay(diagnostics)
        let isVerbose = isVerbose
        var done: Int64 = 0
        let report = try job.run { event, path in
            if case .copied(_, _, let size) = event { done = done.addingReportingOverflow(size).partialValue }
            display.update(id: "copy", label: "copying", done: done)
            Self.tell(event, path, isVerbose, diagnostics)
        }
        display.close()
        return report
    }

    private static func tell(
        _ event: CopyReport.Event, _ path: RawString, _ isVerbose: Bool, _ diagnostics: Diagnostics
    ) {
        switch event {
        case .failed(let reason): diagnostics.warning("\(path): \(reason)")
        case .changed: diagnostics.warning("\(path) was written to while it was copied")
        case .vanished where isVerbose: diagnostics.info("gone meanwhile: \(path)")
        case .leftOut where isVerbose: diagnostics.info("left out: \(path)")
        case .copied(let kind, let isNew, _) where isVerbose:
            diagnostics.info("\(isNew ? "new" : "changed") \(word(kind)): \(path)")
        case .linked where isVerbose: diagnostics.info("hard link: \(path)")
        case .adjusted where isVerbose: diagnostics.info("owner, mode or time: \(path)")
        case .deleted where isVerbose: diagnostics.info("deleted: \(path)")
        default: break
        }
    }

    private static func word(_ kind: FileStatus.Kind) -> String {
        switch kind {
        case .directory: "directory"
        case .symbolicLink: "link"
        default: "file"
        }
    }

    private func say(
        _ report: CopyReport, _ request: CopyRequest, _ owner: OwnerRule, _ diagnostics: Diagnostics
    ) {
        if report.specials > 0 {
            diagnostics.warning("devices, FIFOs and sockets are not copied: \(report.specials) left out")
        }
        if report.vanished > 0 {
            diagnostics.warning("gone before they could be read: \(report.vanished) left out")
        }
        if let lost = report.lost { diagnostics.warning(lost) }
        if report.privileged > 0, request.destination.container == nil, request.source.container != nil {
            diagnostics.warning(
                "whoever runs them gets their owner's rights or capabilities on this host: "
                    + "\(report.privileged) of the files that were copied")
        }
        diagnostics.info(CopySummary(report, manner: manner, destination: request.destination).text)
    }

    /// A name that is no container's, but is that of a file of this host.
    private struct NoContainer: UserFacing {
        let error: StoreError
        let word: RawString

        var message: String { error.message }
        var hint: String? { "The file of this host with that name is written ./\(word)" }
    }
}

/// What a copy did, in one line.
struct CopySummary {
    let text: String

    init(_ report: CopyReport, manner: CopyRequest.Manner, destination: FilePlace) {
        guard !report.isEmpty else {
            text = "\(destination) is up to date"
            return
        }
        let counts = [
            (report.files, "file", "files"), (report.directories, "directory", "directories"),
            (report.links, "link", "links"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.0 == 1 ? $0.1 : $0.2)" }
        let verb = manner == .move && report.isWhole ? "Moved" : "Copied"
        var parts: [String] = []
        if !counts.isEmpty {
            let size = report.bytes > 0 ? " (\(ByteCount(report.bytes)))" : ""
            parts.append("\(verb) \(counts.joined(separator: ", "))\(size) to \(destination)")
        }
        if report.adjusted > 0 { parts.append("corrected owner, mode or time of \(report.adjusted)") }
        if report.deleted > 0 { parts.append("deleted \(report.deleted)") }
        let sentence = parts.joined(separator: "; ")
        text = (sentence.first?.uppercased() ?? "") + sentence.dropFirst()
    }
}
