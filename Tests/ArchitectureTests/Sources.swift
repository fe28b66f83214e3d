import Libc
import Platform

/// The Swift sources of this package, read as text.
struct SourceFile: Sendable, CustomStringConvertible {
    /// The path from the root of the package.
    let path: String
    let lines: [Substring]

    /// The target that the file belongs to.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var description: String { path }

    /// The modules that the file imports.
    var imports: [String] {
        lines.compactMap { line in
            var words = line.split(separator: " ")[...]
            while let word = words.first, word.hasPrefix("@") || Self.accessLevels.contains(word) {
                words = words.dropFirst()
            }
            guard words.first == "import", words.count > 1 else { return nil }
            let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
            let name = words.dropFirst().first { !kinds.contains(String($0)) }
            return name?.split(separator: ".").first.map(String.init)
        }
    }

    private static let accessLevels: Set<Substring> = [
        "public", "package", "internal", "private", "fileprivate",
    ]

    /// The code of the line, without what is a comment.
    static func code(_ line: Substring) -> Substring {
        guard let comment = line.firstRange(ofSlashes: 2) else { return line }
        return line[..<comment]
    }

    /// Every file with the name's ending below `folder` of the package.
    static func all(below folder: String) -> [SourceFile] {
        files(folder).map { path in
            let bytes = try? FileDescriptor.open(root / path, O_RDONLY).readAll(limit: 16 << 20)
            let text = String(decoding: bytes ?? [], as: UTF8.self)
            return SourceFile(
                path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    /// The root of the package: three steps up from this file.
    private static let root = HostPath(#filePath).parent.parent.parent

    private static func files(_ folder: String) -> [String] {
        guard let directory = try? Directory.open(root / folder), let entries = try? directory.entries()
        else {
            return []
        }
        return entries.sorted { $0.name < $1.name }.flatMap { entry in
            let path = "\(folder)/\(entry.name.text)"
            if entry.kind == .directory { return files(path) }
            return path.hasSuffix(".swift") ? [path] : []
        }
    }
}

extension Substring {
    /// Where the first `//` stands that is not inside a string literal of one line.
    fileprivate func firstRange(ofSlashes count: Int) -> Index? {
        var isText = false
        var position = startIndex
        while position < endIndex {
            let character = self[position]
            if character == "\\", isText {
                position = index(after: position)
                if position == endIndex { return nil }
            } else if character == "\"" {
                isText.toggle()
            } else if !isText, self[position...].hasPrefix(String(repeating: "/", count: count)) {
                return position
            }
            position = index(after: position)
        }
        return nil
    }
}
