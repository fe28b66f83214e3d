import Platform
import TestSupport
import Testing

@Suite(
    "The progress of an installation", .scratch, .needsRoot, .needsFile("/bin/busybox"),
    .needsProgram("python3"))
struct InstallProgressTests {
    /// Installs from a registry that takes its time.
    private func install(
        _ body: (Program, String) throws -> Void
    ) throws {
        let program = Program()
        var noise = [UInt8](repeating: 0, count: 3 << 20)
        for index in noise.indices { noise[index] = .random(in: 0 ... .max) }
        let image = try BusyboxImage.layout(in: Scratch.path) { $0.add("noise", content: noise) }
        try Front.with(image.layout, in: Scratch.path) { front in
            try body(program, "\(front.addresses[0])/slow/app:latest")
        }
    }

    @Test("is drawn on a terminal with one line for each layer, and is gone at the end")
    func terminal() throws {
        try install { program, reference in
            var terminal = try program.onTerminal("install", reference, "--name", "box", columns: 120)
            let start = terminal.modes
            #expect(try terminal.finish() == .success)
            let text = terminal.text
            for part in ["downloading", "[#", "%", "MiB", "/s", "ETA ", "\u{1b}[K"] {
                #expect(text.contains(part), "\(part) in \(Quoted(text))")
            }
            // Redrawn in place, then erased; what stays are sentences.
            let drawn = text.split(separator: "downloading").count
            #expect(drawn > 3)
            let rest = try #require(text.split(separator: "\u{1b}[J").last)
            #expect(rest.contains("Installed box") && !rest.contains("ETA") && !rest.contains("[#"))
            #expect(start.count == 4)
            for line in text.split(separator: "\n") {
                let plain = line.split(separator: "\r").map {
                    DisplayWidth.of(String($0.prefix { $0 != "\u{1b}" }))
                }
                #expect(plain.allSatisfy { $0 < 120 })
            }
        }
    }

    @Test("is a few plain lines elsewhere, and nothing with -q")
    func elsewhere() throws {
        try install { program, reference in
            let outcome = try program.succeed("install", reference, "--name", "box")
            #expect(!outcome.stderr.contains("\u{1b}") && outcome.stdout.isEmpty)
            #expect(outcome.stderr.contains(": done, "), "\(outcome.stderr)")
            try program.succeed("remove", "box")
            try program.forgetImages()
            var quiet = try program.onTerminal("install", "-q", reference, "--name", "box")
            #expect(try quiet.finish() == .success)
            #expect(quiet.text.isEmpty)
        }
    }
}
