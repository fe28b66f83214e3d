import Platform
import Testing

@testable import Store

@Suite("Records of sessions and holders") struct SessionRecordTests {
    private static let texts = [
        "", "root", "a \"b\" \\ c/d", "\u{0}\u{1}\u{8}\t\n\u{c}\r\u{1b}\u{1f}\u{7f}\u{9b}",
        "ä 漢 \u{1F600} e\u{301}\u{2028}",
    ]

    @Test("a session's record reads as it was written", arguments: texts)
    func session(text: String) throws {
        let record = SessionRecord(
            ProcessIdentity(pid: 4711, startTime: .max, bootID: text), kind: .run, user: text,
            command: [text, "-c", text], started: -1)
        #expect(try JSONDecoder().decode(SessionRecord.self, from: Array(record.json.utf8)) == record)
    }

    @Test("a holder's record reads as it was written", arguments: texts)
    func holder(text: String) throws {
        let identity = ProcessIdentity(pid: 1, startTime: .max, bootID: text)
        let binds = [
            HolderRecord.Bind(source: text, target: text, options: text),
            .init(source: "/a", target: "/b", options: "rbind,ro"),
        ]
        for binds in [[], binds] {
            let record = HolderRecord(identity: identity, mountNamespace: .max, mode: text, binds: binds)
            #expect(HolderRecord(json: Array(record.json.utf8)) == record)
        }
    }

    /// A record in which every member is there.
    private static var whole: HolderRecord {
        let bind = HolderRecord.Bind(source: "/a", target: "/b", options: "ro")
        var record = HolderRecord(
            identity: ProcessIdentity(pid: 1, startTime: 2, bootID: "boot"), mountNamespace: 3,
            mode: "isolated",
            binds: [bind], limits: ResourceLimits(memory: 4, processorTime: 5, processes: 6))
        record.processNamespace = 7
        record.firstID = 1_879_048_192
        record.isReadOnly = true
        record.isEphemeral = false
        record.image = "image"
        return record
    }

    @Test("a holder's record reads as it was written with all that it can say")
    func wholeHolder() {
        let record = Self.whole
        #expect(HolderRecord(json: Array(record.json.utf8)) == record)
    }

    @Test(
        "a holder's record of which any member says something else than it can is none, lest it mean less isolation",
        arguments: [
            ("\"firstID\":1879048192", "\"firstID\":\"1879048192\""),
            ("\"firstID\":1879048192", "\"firstID\":-1"),
            ("\"processNamespace\":7", "\"processNamespace\":[]"),
            ("\"isReadOnly\":true", "\"isReadOnly\":1"),
            ("\"isEphemeral\":false", "\"isEphemeral\":\"no\""), ("\"image\":\"image\"", "\"image\":{}"),
            ("\"memory\":4", "\"memory\":\"4\""), ("\"mode\":\"isolated\"", "\"mode\":0"),
            ("\"pid\":1", "\"pid\":\"1\""), ("\"binds\":[", "\"pending\":7,\"binds\":["),
        ])
    func damagedHolder(text: String, damage: String) {
        let whole = Self.whole.json
        let damaged = whole.replacing(text, with: damage)
        #expect(damaged != whole, "\(whole)")
        #expect(HolderRecord(json: Array(damaged.utf8)) == nil)
    }
}
