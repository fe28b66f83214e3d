import Libc
import Platform
import Testing

@testable import OCI

@Suite("JSONEdit") struct JSONEditTests {
    @Test(
        "changes one member and leaves every other byte as it is",
        arguments: [
            ("{}", "{\n\t\"auths\": {\n\t\t\"new\": 1\n\t}\n}"),
            ("{\"auths\":{}}", "{\"auths\":{\n\t\t\"new\": 1\n\t}}"),
            ("{\"auths\":null, \"x\":2}", "{\"auths\":{\n\t\t\"new\": 1\n\t}, \"x\":2}"),
            ("{\"auths\":{\"new\":{\"a\":[1,{}]}}}", "{\"auths\":{\"new\":1}}"),
            ("{\"auths\":{\"n\\u0065w\":7}}", "{\"auths\":{\"n\\u0065w\":1}}"),
            // The last one is the one that readers take.
            ("{\"auths\":{\"new\":7,\"new\":8}}", "{\"auths\":{\"new\":7,\"new\":1}}"),
            (
                "{ \"x\" : [\"}\", \"\\\"\"],\n  \"auths\": {\n    \"old\": {}\n  } }\n",
                "{ \"x\" : [\"}\", \"\\\"\"],\n  \"auths\": {\n    \"old\": {},\n    \"new\": 1\n  } }\n"
            ),
            (
                "{\"x\":\"auths\",\"y\":{\"auths\":{}}}",
                "{\"x\":\"auths\",\"y\":{\"auths\":{}},\"auths\": {\n\t\t\"new\": 1\n\t}}"
            ),
        ])
    func setting(_ before: String, _ after: String) throws {
        var text = try JSONEdit(Array(before.utf8), name: "test")
        try text.set("new", in: "auths", to: [UInt8(ascii: "1")])
        #expect(String(decoding: text.bytes, as: UTF8.self) == after)
        #expect(throws: Never.self) { try JSONEdit(text.bytes, name: "test") }
    }

    @Test(
        "removes a member wherever it stands",
        arguments: [
            ("{\"auths\":{\"x\":1}}", "{\"auths\":{}}"),
            ("{\"auths\":{\"a\":0, \"x\":1}}", "{\"auths\":{\"a\":0}}"),
            ("{\"auths\":{\"x\":1, \"a\":0}}", "{\"auths\":{\"a\":0}}"),
            ("{\"auths\":{\"a\":0, \"x\":{\"b\":[]}, \"c\":2}}", "{\"auths\":{\"a\":0, \"c\":2}}"),
            ("{\"auths\":{\"x\":1,\"x\":2}}", "{\"auths\":{}}"), ("{\"x\":1}", "{\"x\":1}"),
        ])
    func removing(_ before: String, _ after: String) throws {
        var text = try JSONEdit(Array(before.utf8), name: "test")
        text.remove(in: "auths") { $0 == "x" }
        #expect(String(decoding: text.bytes, as: UTF8.self) == after)
    }

    @Test(
        "gives a document that was put into another one as it was, with its blanks",
        arguments: ["{}", "{ }\n", "\n {\"a\" : \"}\"}\n\n", "[1]"])
    func embedded(_ document: String) {
        let whole = Array("{\n  \"x\": \(document),\n  \"y\": \(document)\n}\n".utf8)
        #expect(JSON.document(in: whole, member: "x") == Array(document.utf8))
        #expect(JSON.document(in: whole, member: "z") == nil)
    }

    @Test("what is no object is refused", arguments: ["", "[]", "{", "{\"a\":}", "1", "{} {}"])
    func malformed(_ text: String) {
        #expect(throws: DocumentError.self) { try JSONEdit(Array(text.utf8), name: "x") }
    }
}

@Suite("CredentialKeeper") struct CredentialKeeperTests {
    private func source(_ scratch: Scratch) -> CredentialSource {
        CredentialSource(environment: [
            "DOCKER_CONFIG": "\(scratch.path)/docker", "PATH": "\(scratch.path):/bin:/usr/bin",
        ])
    }

    private func keeper(_ scratch: Scratch) -> CredentialKeeper {
        CredentialKeeper(environment: [
            "DOCKER_CONFIG": "\(scratch.path)/docker", "PATH": "\(scratch.path):/bin:/usr/bin",
        ])
    }

    @Test(
        "what is kept is found again, until it is erased",
        arguments: ["docker.io", "ghcr.io", "localhost:5000"])
    func roundTrip(_ registry: String) throws {
        let scratch = try Scratch()
        let place = try keeper(scratch).save(user: "me", Secret("p:ä ss"), for: registry)
        #expect(place.hasSuffix("docker/config.json"))
        let found = try source(scratch).find(registry: registry, repository: "a/b")
        #expect(found?.credential == .password(user: "me", Secret("p:ä ss")))
        #expect(try source(scratch).find(registry: "other.test", repository: "a/b") == nil)
        let status = try Directory.open(HostPath("\(scratch.path)/docker")).status("config.json")
        #expect(status.permissions == 0o600)
        #expect(try keeper(scratch).erase(registry) != nil)
        #expect(try source(scratch).find(registry: registry, repository: "a/b") == nil)
        #expect(try keeper(scratch).erase(registry) == nil)
    }

    @Test("other entries stay to the byte, and the mode becomes private")
    func others() throws {
        let scratch = try Scratch()
        let folder = try scratch.directory("docker")
        let before =
            "{\n  \"auths\" : { \"quay.io\": {\"auth\":\"eDp5\", \"strange\" : [1.50] } },\n\t\"HttpHeaders\": {}\n}"
        try folder.replaceFile("config.json", with: Array(before.utf8), mode: 0o644)
        _ = try keeper(scratch).save(user: "me", Secret("x"), for: "ghcr.io")
        let after = try scratch.read("docker/config.json")
        #expect(
            after.contains("\"quay.io\": {\"auth\":\"eDp5\", \"strange\" : [1.50] }")
                && after.hasSuffix(",\n\t\"HttpHeaders\": {}\n}"))
        #expect(try folder.status("config.json").permissions == 0o600)
        _ = try keeper(scratch).erase("ghcr.io")
        #expect(try scratch.read("docker/config.json") == before)
    }

    @Test("a link stays one, and what is no JSON is not touched")
    func linkAndGarbage() throws {
        let scratch = try Scratch()
        let folder = try scratch.directory("docker")
        try scratch.write("real.json", "{}")
        try folder.makeSymbolicLink("config.json", to: "../real.json")
        _ = try keeper(scratch).save(user: "me", Secret("x"), for: "ghcr.io")
        #expect(try folder.status("config.json").kind == .symbolicLink)
        #expect(try scratch.read("real.json").contains("ghcr.io"))
        try scratch.write("real.json", "{ not json")
        #expect(throws: DocumentError.self) {
            try keeper(scratch).save(user: "me", Secret("x"), for: "ghcr.io")
        }
        #expect(try scratch.read("real.json") == "{ not json")
    }

    @Test("the helper that the file names gets the password, and the file does not")
    func helper() throws {
        let scratch = try Scratch()
        _ = try scratch.directory("docker")
        try scratch.write(
            "docker/config.json", #"{"credHelpers":{"ghcr.io":"vault"},"credsStore":"missing"}"#)
        try scratch.writeProgram(
            "docker-credential-vault",
            """
            #!/bin/sh
            case $1 in
            store) cat > "\(scratch.path)/kept" ;;
            get) cat >/dev/null; sed 's/"ServerURL"[^,]*,//' "\(scratch.path)/kept" ;;
            erase) cat >/dev/null; rm "\(scratch.path)/kept" ;;
            esac
            """)
        #expect(
            try keeper(scratch).save(user: "me", Secret("hidden"), for: "ghcr.io")
                == "docker-credential-vault")
        #expect(try !scratch.read("docker/config.json").contains("hidden"))
        #expect(try !scratch.read("docker/config.json").contains("aGlkZGVu"))
        #expect(
            try source(scratch).find(registry: "ghcr.io", repository: "a")?.credential
                == .password(user: "me", Secret("hidden")))
        #expect(try keeper(scratch).erase("ghcr.io") == "docker-credential-vault")
        #expect(!scratch.has("kept"))
        let error = #expect(throws: RegistryError.self) {
            try keeper(scratch).save(user: "me", Secret("hidden"), for: "quay.io")
        }
        #expect(error == .helper(name: "missing", problem: "is not installed"))
    }
}
