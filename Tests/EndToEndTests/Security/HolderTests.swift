import Libc
import Platform
import TestSupport
import Testing

@Suite("What a container's processes can be asked", .scratch, .needsRoot, .needsFile("/bin/busybox"))
struct HolderTests {
    @Test("has none of the host's variables, nor a descriptor of the host's")
    func clean() throws {
        var program = try Program.with("box")
        program.environment["SECRET_OF_THE_HOST"] = "1"
        let session = try program.start("login", "box", "--", "sh", "-c", "echo ready; cat")
        _ = try session.read(until: "ready")
        let processes = Processes.inMounts(of: Scratch.path)
        var guests = 0
        for process in processes {
            let variables = try Run.program("cat", ["/proc/\(process.pid)/environ"])
            #expect(!variables.stdout.contains("SECRET_OF_THE_HOST"), "\(process)")
            let descriptors = try Run.program("sh", ["-c", "ls -l /proc/\(process.pid)/fd | sed 1d"])
            #expect(!descriptors.stdout.contains("/containers"), "\(process): \(descriptors.stdout)")
            let program = try Run.program("readlink", ["/proc/\(process.pid)/exe"]).stdout
            if program.contains("busybox") {
                let numbers = try Run.program("ls", ["/proc/\(process.pid)/fd"]).lines
                #expect(numbers == ["0", "1", "2"], "\(process): \(descriptors.stdout)")
                guests += 1
            }
        }
        #expect(guests > 0)
        _ = try session.finish()
    }

    @Test("ends at the container's root, upwards")
    func root() throws {
        let program = try Program.with("box")
        #expect(try program.inside("box", "[ / -ef /.. ] && [ / -ef /../../.. ] && echo sealed") == "sealed")
    }
}
