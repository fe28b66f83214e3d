import Libc
import Platform

/// Colour, or none.
package struct Style: Hashable, Sendable {
    /// What a piece of text is, from which follows how it looks.
    package enum Role: Sendable {
        case heading, term, info, warning, error, hint, faint

        var code: String {
            switch self {
            case .heading, .term: "1"
            case .info: "32"
            case .warning: "1;33"
            case .error: "1;31"
            case .hint: "36"
            case .faint: "2"
            }
        }
    }

    package let isColored: Bool

    package init(isColored: Bool) { self.isColored = isColored }

    /// No colour at all.
    package static let plain = Style(isColored: false)

    /// Colour when `descriptor` is a terminal that can show it and nobody objects.
    ///
    /// `CD_FORCE_NO_COLORS` and `NO_COLOR` (no-color.org) object when they are not empty, `TERM=dumb` too.
    package static func of(
        _ descriptor: Int32, variable: (String) -> String? = { getenv($0).map { String(cString: $0) } }
    ) -> Style {
        let objections = ["CD_FORCE_NO_COLORS", "NO_COLOR"].contains { !(variable($0) ?? "").isEmpty }
        return Style(isColored: !objections && variable("TERM") != "dumb" && Terminal.isTerminal(descriptor))
    }

    /// `text` as what it is, and everything behind it as before.
    package func paint(_ text: String, _ role: Role) -> String {
        isColored && !text.isEmpty ? "\u{1b}[\(role.code)m\(text)\u{1b}[0m" : text
    }
}
