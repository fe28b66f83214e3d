import Platform

/// Breaks text into lines.
enum TextLayout {
    /// Lines of at most `width` cells; a word that is longer stands on a line of its own, whole.
    static func wrap(_ text: String, to width: Int) -> [String] {
        wrap(text.split(separator: " ").map(String.init), to: width)
    }

    /// The same for parts that may hold blanks of their own.
    static func wrap(_ parts: [String], to width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for part in parts {
            if line.isEmpty {
                line = part
            } else if DisplayWidth.of(line) + 1 + DisplayWidth.of(part) <= width {
                line += " " + part
            } else {
                lines.append(line)
                line = part
            }
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
