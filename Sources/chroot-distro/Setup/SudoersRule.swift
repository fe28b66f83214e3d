import Libc
import Platform

/// The rule for sudo: a file of its own in `/etc/sudoers.d` (sudoers(5)).
struct SudoersRule {
    let tools: SetupTools

    static let folder: HostPath = "/etc/sudoers.d"
    private static let file: RawString = "chroot-distro"
    static let path = folder / "chroot-distro"
    private static let main: HostPath = "/etc/sudoers"

    /// The first line, by which the file is known to be ours.
    private static let mark = "# Made by chroot-distro setup; chroot-distro setup --uninstall removes it."

    static func text(_ program: HostPath) -> String {
        """
        \(mark)
        # Whoever is in the group counts as root: containers give access to the whole machine.
        %\(Setup.group) ALL=(root) NOPASSWD: \(program.rawValue)

        """
    }

    /// Refuses what would not work, before anything is changed.
    func requirePossible() throws {
        let visudo = try tools.require("visudo")
        if let complaint = try tools.complaint(visudo, ["-c"]) {
            throw SetupError.brokenConfiguration(Self.main, complaint)
        }
        let text = try FileDescriptor.open(Self.main, O_RDONLY).readAll(limit: 1 << 20)
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        let reads = lines.contains { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 2, words[0].dropFirst() == "includedir",
                "@#".contains(text: String(line.prefix(1)))
            else {
                return false
            }
            return words[1].filter { $0 != "\"" } == Self.folder.rawValue
        }
        guard reads else { throw SetupError.notIncluded }
        try RootOnlyPath.check(Self.folder, .directory)
        let folder = try Directory.open(Self.folder)
        guard try folder.statusIfPresent(Self.file) == nil || Self.isOurs(in: folder) else {
            throw SetupError.foreignFile(Self.path)
        }
    }

    /// Writes the rule; false when it is there.
    func install(for program: HostPath) throws -> Bool {
        let visudo = try tools.require("visudo")
        let folder = try Directory.open(Self.folder)
        let text = Self.text(program)
        if let status = try folder.statusIfPresent(Self.file), status.kind == .regular,
            status.permissions == 0o440, status.owner == 0, status.group == 0,
            try folder.readFile(Self.file, limit: 1 << 16) == Array(text.utf8)
        {
            try folder.removeUnfinished()
            return false
        }
        try folder.replaceFile(Self.file, with: text, mode: 0o440, path: Self.path) { path in
            try tools.complaint(visudo, ["-c", "-f", RawString(path.rawValue)])
        }
        return true
    }

    /// The rule of somebody's that comes after ours and asks for the password again: of those that match, the last counts
    /// (sudoers(5), "SUDOERS FILE FORMAT").
    func overriding(_ user: RawString, for program: HostPath) -> String? {
        guard let sudo = tools.find("sudo"), let list = tools.output(sudo, ["-n", "-l", "-U", user]) else {
            return nil
        }
        return SudoersListing(list).overriding(program)
    }

    /// What undoing has found.
    enum Removal { case removed, absent, foreign }

    static func remove() throws -> Removal {
        guard let folder = try? Directory.open(folder) else { return .absent }
        try folder.removeUnfinished()
        guard try folder.statusIfPresent(file) != nil else { return .absent }
        guard isOurs(in: folder) else { return .foreign }
        try folder.removeFile(file)
        try folder.synchronize()
        return .removed
    }

    private static func isOurs(in folder: borrowing Directory) -> Bool {
        (try? folder.readFile(file, limit: 1 << 16))?.starts(with: mark.utf8) ?? false
    }
}
