import CLI
import OCI
import Platform
import Store

/// Something that doctor has found out.
struct Finding: Listed {
    /// How bad it is.
    enum Severity: String, Encodable, CaseIterable {
        case ok, note, warning, problem
    }

    /// What `--fix` can do about it without any risk.
    enum Repair {
        case sweep, index, heal(ContainerName), forget(ContainerName), group(ContainerName), parts, blob(
            Digest)
    }

    /// Its kind, such as `disk.data-space`; it stays the same from version to version.
    let id: String
    let severity: Severity
    /// The container or image in question, where there are several.
    var subject: String?
    /// What is so.
    let summary: String
    /// Why it matters.
    let reason: String?
    /// The way out, as a command where there is one.
    let remedy: String?
    /// What was done about it.
    var fixed: String?
    let repair: Repair?

    init(
        _ id: String, _ severity: Severity, _ summary: String, because reason: String? = nil,
        remedy: String? = nil, subject: String? = nil, repair: Repair? = nil
    ) {
        self.id = id
        self.severity = severity
        self.summary = summary
        self.reason = reason
        self.remedy = remedy
        self.subject = subject
        self.repair = repair
    }

    /// Whether somebody should still do something about it.
    var isOpenProblem: Bool { severity == .problem && fixed == nil }

    enum CodingKeys: String, CodingKey {
        case id, severity, subject, summary, reason, remedy, fixed
    }

    static let columns = [Column("SEVERITY"), Column("ID"), Column("SUMMARY")]
    static let plural = "findings"
    var row: Row { Row([severity.rawValue, id, summary]) }
    var word: String { id }
}

extension Finding {
    /// For an area that could not be looked at.
    init(_ id: String, unreadable error: any Error) {
        let known = error as? any UserFacing
        self.init(
            id, .problem, "it cannot be looked at: \(known?.message ?? "\(error)")", remedy: known?.hint)
    }

    /// For what only root can look at.
    static func needsRoot(_ id: String, _ what: String) -> Finding {
        Finding(id, .note, "\(what) can only be looked at by root", remedy: "sudo chroot-distro doctor")
    }
}
