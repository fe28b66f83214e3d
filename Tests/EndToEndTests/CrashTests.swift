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
        let whole = try Self.time { try program.succeed("install", image.layout.rawValue, "--name", "first") }
        try Mountinfo.unchanged {
            for attempt in 0..<50 {
                let moment = Double.random(in: 0...whole * 1.1)
                let process = try program.start("install", image.layout.rawValue, "--name", "box")
                usleep(UInt32(moment * 1e6))
                process.signalGroup(SIGKILL)
                let status = try process.finish().status
                let names = try program.names()
                // Killed: it is there whole or not at all.
                #expect(names == ["first"] || names == ["box", "first"], "attempt \(attempt): \(names)")
                if status == .success { #expect(names == ["box", "first"]) }
                if names.contains("box") {
                    #expect(try program.inside("box", "ls /srv | wc -l") == "500", "attempt \(attempt)")
                    try program.succeed("remove", "box")
                }
            }
        }
        try program.succeed("install", image.layout.rawValue, "--name", "box")
        #expect(try program.inside("box", "ls /srv | wc -l") == "500")
        try verifyBlobs(of: program)
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
            let whole = try Self.time { try program.succeed("install", reference, "--name", "first") }
            try Run.shell("rm -rf \"$1/cache\"", Scratch.path.rawValue)
            for _ in 0..<10 {
                let process = try program.start("install", reference, "--name", "box")
                usleep(UInt32(Double.random(in: 0...whole) * 1e6))
                process.signalGroup(SIGKILL)
                _ = try process.finish()
                if try program.names().contains("box") { try program.succeed("remove", "box") }
            }
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

    private static func time(_ body: () throws -> Void) rethrows -> Double {
        let start = Clock.now
        try body()
        return Clock.now - start
    }
}
