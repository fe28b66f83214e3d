import Libc
import Platform
import TestSupport
import Testing

@Suite("A killed install", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct CrashTests {
    @Test("leaves a store that the next install works in, at fifty random moments")
    func anyMoment() throws {
        let program = Program()
        var upper = TarBuilder()
        for number in 0..<500 {
            upper.add("srv/\(number)", text: String(repeating: "\(number) ", count: 200))
        }
        let image = try BusyboxImage.layout(in: Scratch.path, layers: [upper.archive])
        func install() throws { try program.succeed("install", image.layout.rawValue, "--name", "box") }
        let box = program.root(of: "box").rawValue
        func isWhole() throws -> Bool {
            try Run.shell("ls \"$1/srv\" | wc -l; ls \"$1/bin/busybox\"", box) == "500\n\(box)/bin/busybox\n"
        }
        var moments = try KillingMoments { try install() }
        try program.succeed("remove", "box")
        try Mountinfo.unchanged {
            while moments.wantsMore(than: 50) {
                let process = try program.start("install", image.layout.rawValue, "--name", "box")
                moments.pass()
                process.signalGroup(SIGKILL)
                let status = try process.finish().status
                let names = try program.names()
                // Killed: it is there whole or not at all.
                #expect(names.isEmpty || names == ["box"], "\(names)")
                if status == .success { #expect(names == ["box"]) }
                moments.note(done: !names.isEmpty)
                if names.isEmpty { try install() }
                #expect(try isWhole())
                try verifyBlobs(of: program)
                try program.succeed("remove", "box")
            }
        }
        #expect(moments.hitBothSides)
        try install()
        #expect(try program.inside("box", "ls /srv | wc -l") == "500")
        // One more command sweeps what the killed ones left.
        let debris = try Run.shell(
            "find \"$1\" \\( -name '.tmp-*' -o -path '*/trash/*' -o -path '*/staging/*' \\) | head",
            Scratch.path.rawValue)
        #expect(debris.isEmpty, "\(debris)")
    }

    @Test("of a pull leaves a store that the next pull works in", .needsProgram("docker-registry", "skopeo"))
    func pull() throws {
        let program = Program()
        var upper = TarBuilder()
        let noise = (0..<(6 << 20)).map { _ in UInt8.random(in: 0 ... .max) }
        upper.add("srv/noise", content: noise)
        let image = try BusyboxImage.layout(in: Scratch.path, layers: [upper.archive])
        try Registry.with(in: Scratch.path) { registry in
            try registry.push(image.layout, as: "box:1")
            let reference = "\(registry.address)/box:1"
            var moments = try KillingMoments { try program.succeed("install", reference, "--name", "box") }
            try program.succeed("remove", "box")
            while moments.wantsMore(than: 10) {
                try program.forgetImages()
                let process = try program.start("install", reference, "--name", "box")
                moments.pass()
                process.signalGroup(SIGKILL)
                _ = try process.finish()
                let isDone = try program.names().contains("box")
                moments.note(done: isDone)
                if !isDone { try program.succeed("install", reference, "--name", "box") }
                try verifyBlobs(of: program)
                try program.succeed("remove", "box")
            }
            #expect(moments.hitBothSides)
            try program.succeed("install", reference, "--name", "box")
        }
        #expect(try program.inside("box", "wc -c </srv/noise") == "\(noise.count)")
        try verifyBlobs(of: program)
    }

    /// Expects every blob of the image store to have the digest that it is named for.
    private func verifyBlobs(of program: Program) throws {
        let wrong = try Run.shell(
            """
            find "$1/cache" -path '*/blobs/sha256/*' -type f ! -name '*.part' ! -name '.*' | while read -r file; do
                [ "$(sha256sum <"$file" | cut -c 1-64)" = "${file##*/}" ] || echo "$file"
            done
            """, program.directory.rawValue)
        #expect(wrong.isEmpty, "\(wrong)")
    }
}
