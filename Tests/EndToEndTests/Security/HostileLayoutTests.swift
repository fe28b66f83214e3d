import Libc
import Platform
import TestSupport
import Testing

@Suite("A layout that points elsewhere", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct HostileLayoutTests {
    @Test("by a digest that climbs is refused")
    func digest() throws {
        let attack = try Attack()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Run.shell(
            "sed -i 's|\"digest\":\"sha256:[0-9a-f]*\"|\"digest\":\"sha256:../../../outside/canary\"|' \"$1/index.json\"",
            image.layout.rawValue)
        let outcome = try attack.program.run("install", image.layout.rawValue, "--name", "box")
        #expect(outcome.status == .failure)
        #expect(!outcome.stderr.contains("alive"))
        try attack.expectNoEscape()
    }

    @Test("by a blob that is a FIFO keeps nobody waiting")
    func fifo() throws {
        let program = Program()
        let image = try BusyboxImage.layout(in: Scratch.path)
        try Run.shell(
            "cd \"$1/blobs/sha256\"; f=$(ls -S | head -1); rm \"$f\"; mkfifo \"$f\"", image.layout.rawValue)
        #expect(
            try program.run("install", image.layout.rawValue, "--name", "box", timeout: 20).status == .failure
        )
    }

    @Test(
        "by a wrong size or content is refused, naming the digest",
        arguments: ["printf x >>", "truncate -s -1"])
    func content(_ damage: String) throws {
        let program = try Program.with("before")
        try program.forgetImages()
        let image = try BusyboxImage.layout(in: Scratch.path, name: "damaged")
        try Run.shell(
            "cd \"$1/blobs/sha256\"; f=$(ls -S | head -1); \(damage) \"$f\"", image.layout.rawValue)
        try program.refuse("install", image.layout.rawValue, "--name", "box", naming: ["sha256:"])
    }
}
