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
}
