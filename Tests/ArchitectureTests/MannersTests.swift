import Testing

@Suite("The sources")
struct MannersTests {
    private static let sources = SourceFile.all(below: "Sources")

    @Test(
        "do without what the house does without",
        arguments: [
            "try!", "as!", "fatalError(", "async ", "await ", "Task {", "Dispatch", "actor ", "NSRegular",
            "TODO", "FIXME", "public func", "public struct",
        ])
    func absent(_ word: String) {
        for file in Self.sources {
            for (number, line) in file.lines.enumerated() {
                let text = word == "TODO" || word == "FIXME" ? line : SourceFile.code(line)
                #expect(!Self.contains(text, word), "\(file):\(number + 1)")
            }
        }
    }

    /// Whether `word` stands there and is not the end of a longer one, nor inside a string literal.
    private static func contains(_ line: Substring, _ word: String) -> Bool {
        let pieces = line.split(separator: "\"", omittingEmptySubsequences: false)
        return pieces.enumerated().contains { index, piece in
            guard index.isMultiple(of: 2) else { return false }
            var rest = piece
            while let start = rest.firstRange(of: word) {
                let before = rest[..<start.lowerBound].last
                if before.map({ !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }) ?? true {
                    return true
                }
                rest = rest[start.upperBound...]
            }
            return false
        }
    }

    @Test("say in a comment what each type and free function of the package is for")
    func documentation() {
        let kinds = ["struct ", "class ", "enum ", "protocol ", "typealias "]
        for file in Self.sources {
            var documented = false
            for (number, line) in file.lines.enumerated() {
                let text = line.drop { $0 == " " }
                let isFree = line.count == text.count
                if text.hasPrefix("///") {
                    documented = true
                } else if !text.hasPrefix("@") {
                    let rest = text.hasPrefix("package ") ? text.dropFirst(8) : ""
                    let words = rest.hasPrefix("final ") ? rest.dropFirst(6) : rest
                    let isType = kinds.contains { words.hasPrefix($0) }
                    let isFunction = isFree && words.hasPrefix("func ")
                    if isType || isFunction {
                        #expect(documented, "\(file):\(number + 1): \(text)")
                    }
                    documented = false
                }
            }
        }
    }
}

@Suite("The tests")
struct TestFileTests {
    private static let tests = SourceFile.all(below: "Tests").filter { $0.path.hasSuffix("Tests.swift") }

    /// What fails a test by itself.
    private static let expectations = [
        "#expect", "#require", "Issue.record", "expect", "attack(", ".refuse(", ".succeed(",
        "Waiting.require(",
        "roundTrip(", "check", "throw UsageError", ".wait(for:", ".fetch(",
    ]

    @Test("can fail: each of them expects something")
    func expectations() {
        #expect(!Self.tests.isEmpty, "no tests were found")
        for file in Self.tests {
            // From one `@Test` to the next.
            let starts = file.lines.indices.filter { file.lines[$0].hasPrefix("    @Test") }
            #expect(!starts.isEmpty, "\(file) has no tests")
            for (start, end) in zip(starts, starts.dropFirst() + [file.lines.endIndex]) {
                let expects = file.lines[start..<end].contains { line in
                    Self.expectations.contains { line.contains($0) }
                }
                #expect(expects, "\(file):\(start + 1) expects nothing")
            }
        }
    }

    @Test("use Swift Testing only")
    func oneFramework() {
        for file in SourceFile.all(below: "Tests") {
            #expect(!file.imports.contains("XCTest"), "\(file)")
            #expect(!file.imports.contains("Foundation"), "\(file)")
        }
    }
}
