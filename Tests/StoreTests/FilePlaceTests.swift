import Platform
import Store
import Testing

@Suite("FilePlace")
struct FilePlaceTests {
    private func read(_ word: String, from directory: RawString? = "/work", home: RawString? = "/home/me")
        throws -> FilePlace
    {
        try FilePlace(RawString(word), workingDirectory: directory, home: home)
    }

    @Test(
        "takes what stands before the first colon for a container",
        arguments: [
            ("box:/etc/hosts", "/etc/hosts"), ("box:etc", "/etc"), ("box:", "/"), ("box:/", "/"),
            ("box:/a:b", "/a:b"), ("box:a/./b//c/", "/a/b/c"), ("box:~/x", "/~/x"),
        ])
    func container(word: String, path: String) throws {
        let place = try read(word)
        #expect(place.room == .container(try ContainerName("box")))
        #expect(place.path == GuestPath(path))
    }

    @Test(
        "takes everything else for a path of this host",
        arguments: [
            ("file", "/work/file"), ("./a:b", "/work/a:b"), ("dir/a:b", "/work/dir/a:b"), ("/a:b", "/a:b"),
            (".", "/work"), ("..", "/work/.."), ("~/x", "/home/me/x"), ("~", "/home/me"), ("~x", "/work/~x"),
            ("./~", "/work/~"),
        ])
    func host(word: String, path: String) throws {
        let place = try read(word)
        #expect(place.room == .host)
        // `./~` begins with a `.`, which a path does not keep, but with no `~`.
        #expect(place.path == GuestPath(path))
    }

    @Test(
        "knows which spellings mean a directory, and under which name it goes elsewhere",
        arguments: [
            ("box:/a/b", false, "b"), ("box:/a/b/", true, "b"), ("box:/a/b/.", true, nil),
            ("box:/a/b/..", true, nil), ("box:", true, nil), ("box:/", true, nil), (".", true, nil),
            ("./", true, nil), ("a", false, "a"), ("a//", true, "a"), ("..", true, nil),
        ] as [(String, Bool, String?)])
    func spelling(word: String, isDirectory: Bool, name: String?) throws {
        let place = try read(word)
        #expect(place.namesDirectory == isDirectory)
        #expect(place.ownName == name.map { RawString($0) })
    }

    @Test("keeps bytes that are not UTF-8")
    func bytes() throws {
        let word = try #require(RawString(bytes: Array("box:/".utf8) + [0xff, 0x0a, 0xfe]))
        let place = try FilePlace(word, workingDirectory: nil, home: nil)
        #expect(place.path.lastComponent?.bytes == [0xff, 0x0a, 0xfe])
        #expect(place.ownName?.bytes == [0xff, 0x0a, 0xfe])
    }

    @Test(
        "refuses what cannot be meant", arguments: ["", ":x", "a b:x", "-x:y", "box:..", "box:/a/../../etc"])
    func refused(word: String) {
        #expect(throws: FilePlaceError.self) { try read(word) }
    }

    @Test("never guesses where a relative path begins")
    func lost() throws {
        #expect(throws: FilePlaceError.noWorkingDirectory("data")) { try read("data", from: nil) }
        #expect(throws: FilePlaceError.noWorkingDirectory("x")) { try read("x", from: "(unreachable)/x") }
        #expect(try read("/data", from: nil).path == "/data")
    }
}
