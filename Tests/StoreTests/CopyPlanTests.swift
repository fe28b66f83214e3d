import Platform
import Store
import Testing

@Suite("CopyPlan")
struct CopyPlanTests {
    private static let copy = CopyRequest.Manner.copy(isRecursive: false)
    private static let tree = CopyRequest.Manner.copy(isRecursive: true)
    private static let sync = CopyRequest.Manner.sync(byContent: false, deletes: false)
    private static let mirror = CopyRequest.Manner.sync(byContent: false, deletes: true)

    private func plan(
        _ manner: CopyRequest.Manner, _ source: String, _ kind: FileStatus.Kind, _ destination: String,
        _ there: FileStatus.Kind?
    ) throws -> CopyPlan {
        try CopyPlan(
            CopyRequest(manner, from: place(source), to: place(destination)), source: kind, destination: there
        )
    }

    private func place(_ word: String) throws -> FilePlace {
        try FilePlace(RawString(word), workingDirectory: "/work", home: nil)
    }

    @Test("puts a file into a directory under its own name, and gives it the name of what is no directory")
    func files() throws {
        #expect(try plan(Self.copy, "a/f", .regular, "box:/d", .directory).arrival == .into("f"))
        #expect(try plan(Self.copy, "a/f", .regular, "box:/d", .regular).arrival == .asNamed)
        #expect(try plan(Self.copy, "a/f", .regular, "box:/d", nil).arrival == .asNamed)
        #expect(try plan(Self.sync, "a/f", .regular, "box:/d", .directory).arrival == .into("f"))
    }

    @Test("puts a directory into a directory, but what is in one without a name of its own")
    func directories() throws {
        #expect(try plan(Self.tree, "a", .directory, "box:/d", .directory).arrival == .into("a"))
        #expect(try plan(Self.tree, "a/", .directory, "box:/d", .directory).arrival == .into("a"))
        for word in ["a/.", ".", "..", "/"] {
            #expect(try plan(Self.tree, word, .directory, "box:/d", .directory).arrival == .contents)
        }
        #expect(try plan(Self.tree, "box:", .directory, "/d", .directory).arrival == .contents)
        #expect(try plan(Self.tree, "a", .directory, "box:/d", nil).arrival == .asNamed)
        #expect(try plan(Self.tree, "a", .directory, "box:/d/", nil).arrival == .asNamed)
    }

    @Test("takes the destination of a sync for the mirror of a directory, whatever the slashes")
    func mirrors() throws {
        for word in ["a", "a/", "a/.", "box:x", "box:"] {
            let destination = word.hasPrefix("box") ? "/d" : "box:/d"
            #expect(try plan(Self.sync, word, .directory, destination, .directory).arrival == .contents)
            #expect(try plan(Self.mirror, word, .directory, destination, nil).arrival == .asNamed)
        }
    }

    @Test("copies directories only when it is told to, but moves and syncs them")
    func recursion() throws {
        let source = try place("a")
        #expect(throws: CopyError.isDirectory(source)) { try plan(Self.copy, "a", .directory, "box:/", nil) }
        for manner in [Self.tree, Self.sync, .move] {
            _ = try plan(manner, "a", .directory, "box:/d", nil)
        }
    }

    @Test("refuses what is no directory where only one can be meant")
    func slashes() throws {
        #expect(throws: CopyError.noDirectory(try place("box:/d/"))) {
            try plan(Self.copy, "f", .regular, "box:/d/", nil)
        }
        #expect(throws: CopyError.notDirectory(try place("box:/d/"))) {
            try plan(Self.copy, "f", .regular, "box:/d/", .regular)
        }
        #expect(throws: CopyError.notDirectory(try place("f/"))) {
            try plan(Self.copy, "f/", .regular, "box:/d", nil)
        }
        #expect(throws: CopyError.notDirectory(try place("box:/d"))) {
            try plan(Self.tree, "a", .directory, "box:/d", .regular)
        }
        #expect(throws: CopyError.notDirectory(try place("box:/d"))) {
            try plan(Self.sync, "a", .directory, "box:/d", .regular)
        }
    }

    @Test(
        "neither reads nor writes devices, FIFOs and sockets",
        arguments: [FileStatus.Kind.characterDevice, .blockDevice, .fifo, .socket, .other])
    func specials(kind: FileStatus.Kind) throws {
        for manner in [Self.copy, Self.tree, Self.sync, .move] {
            #expect(throws: CopyError.special(try place("box:/f"))) {
                try plan(manner, "box:/f", kind, "/d", nil)
            }
            #expect(throws: CopyError.special(try place("/dev/x"))) {
                try plan(manner, "box:/f", .regular, "/dev/x", kind)
            }
        }
    }

    @Test("refuses what makes no sense")
    func nonsense() throws {
        #expect(throws: CopyError.noContainer(try place("a"), try place("b"))) {
            try CopyRequest(Self.copy, from: place("a"), to: place("b"))
        }
        #expect(throws: CopyError.deletesForFile(try place("f"))) {
            try plan(Self.mirror, "f", .regular, "box:/f", .regular)
        }
        for word in ["box:", "box:/a/..", "box:/a/."] {
            #expect(throws: CopyError.nothingToMove(try place(word))) {
                try plan(.move, word, .directory, "/d", .directory)
            }
        }
    }

    @Test("says what will be done")
    func words() throws {
        let plan = try plan(Self.tree, "a", .directory, "box:/d", .directory)
        #expect(plan.description == "copy a as a into box:/d")
    }

    @Test("locks each container once, in the order of the names")
    func locks() throws {
        let names = try CopyRequest(Self.copy, from: place("b:x"), to: place("a:y")).containers
        #expect(names.map(\.description) == ["a", "b"])
        #expect(try CopyRequest(Self.copy, from: place("a:x"), to: place("a:y")).containers.count == 1)
    }
}
