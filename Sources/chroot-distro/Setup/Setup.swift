import CLI
import Libc
import Platform
import Store

/// Use without a password for the members of a group: a rule for sudo or doas, and no daemon.
struct Setup {
    private let tools: SetupTools
    private let diagnostics: Diagnostics

    static let group: RawString = "chroot-distro"

    init(on host: HostSystem, _ diagnostics: Diagnostics) throws(SetupError) {
        if host.termux != nil { throw .onTermux }
        tools = SetupTools(on: host)
        self.diagnostics = diagnostics
    }

    // MARK: - Doing

    /// Makes the group, puts `user` into it, and writes the rule for `program`.
    ///
    /// All that can be seen to be in the way is looked at first. Each step leaves alone what is there already, so
    /// after a kill at any moment the same command goes on.
    func install(_ program: HostPath, user: String?) throws {
        try Self.requireTrusted(program)
        let user = try user.map { try Self.account($0) }
        let usesSudo = tools.find("sudo") != nil
        guard usesSudo || tools.find("doas") != nil else { throw SetupError.noTool }
        if usesSudo {
            try SudoersRule(tools: tools).requirePossible()
        } else {
            try DoasRule(tools: tools).requirePossible()
        }
        let folder = try ContainerStore.openTrusted(SetupRecord.folder)
        guard try folder.tryLock() else { throw SetupError.busy }
        try folder.removeTemporaryFiles()
        var record = try SetupRecord.read(in: folder) ?? SetupRecord()
        if !usesSudo, !DoasRule.isThere { record.madeDoasConfiguration = true }
        try makeGroup(&record, in: folder)
        if let user { try add(user, &record, in: folder) }
        let path = usesSudo ? SudoersRule.path : DoasRule.path
        let isNew =
            try usesSudo
            ? SudoersRule(tools: tools).install(for: program) : DoasRule(tools: tools).install(for: program)
        diagnostics.info(isNew ? "Wrote the rule into \(path)" : "The rule in \(path) is there already")
        tell(user)
        if usesSudo { warnOfOverridingRules(program, user) }
    }

    /// A rule that is read after ours counts instead of it; sudo itself tells.
    private func warnOfOverridingRules(_ program: HostPath, _ user: AccountFile.User?) {
        let members = HostGroups.group(named: Self.group)?.members ?? []
        for name in Set(members + (user.map { [$0.name] } ?? [])).sorted() {
            guard let rule = SudoersRule(tools: tools).overriding(name, for: program) else { continue }
            diagnostics.warning(
                "sudo will go on asking \(name) for a password: \(Quoted(rule)) comes after the rule in \(SudoersRule.path)",
                hint:
                    "See all of them in their order with: sudo -l -U \(name) · and put that one before it, with visudo"
            )
        }
    }

    /// Refuses a program that somebody else than root could replace.
    static func requireTrusted(_ program: HostPath) throws {
        let plain = program.rawValue.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: "/._+-".utf8.contains(byte)
            }
        }
        guard plain, program.isAbsolute else { throw SetupError.oddPath(program) }
        do { try RootOnlyPath.check(program, .regular) } catch let flaw as RootOnlyPath.Flaw {
            throw SetupError.replaceable(flaw.message, hint: flaw.hint)
        }
    }

    /// The account of somebody who may be put into the group.
    private static func account(_ name: String) throws(SetupError) -> AccountFile.User {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: "._@+-$".utf8.contains(byte)
            }
        }
        // What begins otherwise would be an option to a tool or stand for something else to the C library.
        guard isPlain, let first = name.utf8.first, !"-+.$@".utf8.contains(first) else {
            throw .oddUser(name)
        }
        guard let user = HostUsers.user(named: RawString(name)) else { throw .noSuchUser(name) }
        if user.uid == 0 { throw .rootNeedsNone }
        return user
    }

    private func makeGroup(_ record: inout SetupRecord, in folder: borrowing Directory) throws {
        let isMissing = HostGroups.group(named: Self.group) == nil
        if isMissing { record.madeGroup = true }
        try record.write(in: folder)
        guard isMissing else { return }
        try tools.makeGroup(Self.group)
        diagnostics.info("Made the group \(Self.group)")
    }

    private func add(
        _ user: AccountFile.User, _ record: inout SetupRecord, in folder: borrowing Directory
    ) throws {
        let group = HostGroups.group(named: Self.group)
        if user.gid == group?.gid || group?.members.contains(user.name) == true {
            diagnostics.info("\(user.name) is in the group \(Self.group) already")
            return
        }
        if !record.addedUsers.contains(user.name.text) {
            record.addedUsers.append(user.name.text)
            try record.write(in: folder)
        }
        try tools.add(user.name, to: Self.group)
        diagnostics.info("Put \(user.name) into the group \(Self.group)")
    }

    private func tell(_ user: AccountFile.User?) {
        let members = HostGroups.group(named: Self.group)?.members.map(\.description) ?? []
        let who = members.isEmpty ? "nobody yet" : members.joined(separator: ", ")
        diagnostics.warning(
            "this equals root: whoever is in the group \(Self.group) (now: \(who)) can do anything on this "
                + "machine, and so can every program that such a person runs",
            hint: "Undo it with: chroot-distro setup --uninstall")
        if user == nil {
            diagnostics.info("Put somebody into the group with: chroot-distro setup --user NAME")
        } else {
            diagnostics.info(
                "It takes effect at the next login, or in a shell started with: newgrp \(Self.group)")
        }
    }

    // MARK: - Undoing

    /// Takes away what setup has made, and nothing else; the rule first.
    func uninstall() throws {
        var isUndone = false
        switch try SudoersRule.remove() {
        case .removed:
            diagnostics.info("Removed \(SudoersRule.path)")
            isUndone = true
        case .foreign: diagnostics.warning("\(SudoersRule.path) is not from here and was left alone")
        case .absent: break
        }
        guard access(SetupRecord.folder.rawValue, F_OK) == 0 else {
            if try DoasRule(tools: tools).remove(madeFile: false) { isUndone = true }
            return finish(isUndone)
        }
        let folder = try ContainerStore.openTrusted(SetupRecord.folder)
        guard try folder.tryLock() else { throw SetupError.busy }
        try folder.removeTemporaryFiles()
        let record = try SetupRecord.read(in: folder)
        if try DoasRule(tools: tools).remove(madeFile: record?.madeDoasConfiguration ?? false) {
            diagnostics.info("Took the rule out of \(DoasRule.path)")
            isUndone = true
        }
        if let record {
            try undo(record)
            isUndone = true
        }
        try SetupRecord.erase(in: folder)
        // It stays when there is something else in it, such as config.json.
        try? Directory.open("/etc").removeDirectory(RawString(SetupRecord.folder.lastComponent))
        finish(isUndone)
    }

    private func finish(_ isUndone: Bool) { if !isUndone { diagnostics.info("There is nothing to undo") } }

    private func undo(_ record: SetupRecord) throws {
        guard var group = HostGroups.group(named: Self.group) else { return }
        for user in record.addedUsers.map({ RawString($0) }) where group.members.contains(user) {
            try tools.remove(user, from: Self.group)
            diagnostics.info("Took \(user) out of the group \(Self.group)")
        }
        guard record.madeGroup else { return }
        group = HostGroups.group(named: Self.group) ?? group
        guard group.members.isEmpty else {
            let others = group.members.map(\.description).joined(separator: ", ")
            diagnostics.warning("the group \(Self.group) stays: others have put \(others) into it")
            return
        }
        try tools.removeGroup(Self.group)
        diagnostics.info("Removed the group \(Self.group)")
    }
}
