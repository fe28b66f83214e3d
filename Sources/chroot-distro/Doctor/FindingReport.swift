import CLI
import Platform

/// Findings for people: area by area, with reason and remedy where something is to be done.
struct FindingReport {
    let findings: [Finding]
    let style: Style

    func text() -> String {
        var text = ""
        var area = ""
        for finding in findings {
            let own = String(finding.id.prefix { $0 != "." })
            if own != area {
                text += (area.isEmpty ? "" : "\n") + style.paint(Self.titles[own] ?? own, .heading) + "\n"
                area = own
            }
            text += describe(finding)
        }
        return text + (findings.isEmpty ? "" : "\n") + summary + "\n"
    }

    private static let titles = [
        "kernel": "Kernel", "binfmt": "Programs of other machines", "library": "Libraries", "disk": "Disk",
        "store": "Store", "container": "Containers", "images": "Images", "state": "Sessions",
        "elevation": "Becoming root", "network": "Network", "gpu": "Graphics", "display": "Display",
        "sound": "Sound", "security": "Security",
    ]

    private func describe(_ finding: Finding) -> String {
        let severity = DisplayWidth.pad(finding.severity.rawValue, to: 8)
        let role: Style.Role =
            switch finding.severity {
            case .ok: .info
            case .note: .faint
            case .warning: .warning
            case .problem: .error
            }
        var text = "  \(style.paint(severity, role))\(finding.summary)"
        text += style.paint("  [\(finding.id)]", .faint) + "\n"
        if let reason = finding.reason { text += "          \(reason)\n" }
        if let fixed = finding.fixed {
            text += "          \(style.paint("fixed: \(fixed)", .info))\n"
        } else if let remedy = finding.remedy {
            text += "          \(style.paint("→ \(remedy)", .hint))\n"
        }
        return text
    }

    private var summary: String {
        let counts = Finding.Severity.allCases.reversed().map { severity in
            let count = findings.count { $0.severity == severity }
            return "\(count) \(severity.rawValue)\(severity == .ok || count == 1 ? "" : "s")"
        }
        let fixed = findings.count { $0.fixed != nil }
        return counts.joined(separator: ", ") + (fixed > 0 ? "; fixed \(fixed)" : "")
    }
}
