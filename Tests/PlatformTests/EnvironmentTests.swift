import Libc
import Testing

@testable import Platform

@Suite("Environment") struct EnvironmentTests {
    @Test("the process's own variables are read, and not what has no name")
    func ofProcess() {
        let environment = Environment.ofProcess()
        #expect(environment["PATH"]?.text == getenv("PATH").map { String(cString: $0) })
        #expect(Environment(entries: ["A=1", "=x", "novalue", "B="]).entries == ["A=1", "B="])
    }

    @Test("the last of two values stays, and a value keeps its own equals signs")
    func duplicates() {
        let environment = Environment(entries: ["A=1", "A=2=3"])
        #expect(environment["A"] == "2=3")
        #expect(environment.nonEmpty("B") == nil)
        #expect(Environment(entries: ["B="]).nonEmpty("B") == nil)
    }

    @Test(
        "words that switch something on",
        arguments: [
            ("1", true), ("true", true), ("YES", true), ("On", true), ("0", false), ("", false), ("2", false),
            ("no", false), (" 1", false),
        ])
    func truthy(value: String, expected: Bool) {
        #expect((["X": RawString(value)] as Environment).isTruthy("X") == expected)
    }

    @Test("bytes that are not UTF-8 survive")
    func raw() throws {
        let value = try #require(RawString(bytes: [0xff, 0xfe]))
        let environment = ["X": value] as Environment
        #expect(environment["X"] == value)
        #expect(environment.entries.first?.bytes == Array("X=".utf8) + [0xff, 0xfe])
    }

    @Test("merging puts the other one's values on top")
    func merging() {
        let merged = Environment(entries: ["A=1", "B=1"]).merging(Environment(entries: ["B=2", "C=2"]))
        #expect(merged.entries == ["A=1", "B=2", "C=2"])
        #expect(merged.filter { $0 != "A" }.names == ["B", "C"])
    }
}
