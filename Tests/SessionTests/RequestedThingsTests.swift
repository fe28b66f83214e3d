import Mounts
import Platform
import Session
import Testing

@Suite("What a session asks for")
struct RequestedThingsTests {
    @Test(
        "adds a host by name and address",
        arguments: [
            ("db:10.0.0.7", "db", "10.0.0.7"), ("a.b-c:::1", "a.b-c", "::1"), ("x=[fe80::1]", "x", "fe80::1"),
        ])
    func host(_ text: String, _ name: String, _ address: String) throws {
        let entry = try HostEntry(text)
        #expect(entry.name == name && entry.address == address)
    }

    @Test(
        "refuses a host that would write something else into the file",
        arguments: [
            "db", "db:", ":1.2.3.4", "db:1.2.3", "d b:1.2.3.4", "db\n9.9.9.9 x:1.2.3.4", "db:1.2.3.4\n",
            "db:x",
        ])
    func badHost(_ text: String) { #expect(throws: RequestError.host(text)) { try HostEntry(text) } }

    @Test("names a device by its path, there and here")
    func device() throws {
        #expect(try DeviceSpec("/dev/kvm").target == "/dev/kvm")
        let spec = try DeviceSpec("/dev/ttyUSB0:/dev/modem:rwm")
        #expect(spec.source == "/dev/ttyUSB0" && spec.target == "/dev/modem")
    }

    @Test(
        "puts no device outside /dev nor into what is the container's own",
        arguments: [
            "kvm", "", "/dev/kvm:/etc/passwd", "/dev/kvm:/dev/../etc/x", "/dev/kvm:/dev",
            "/dev/kvm:/dev/pts/0",
            "/dev/kvm:/dev/shm/x", "/dev/kvm:/dev/x:r", "/dev/kvm:/dev/x:rw:y", "/dev/kvm:/proc/x",
        ])
    func badDevice(_ text: String) { #expect(throws: RequestError.self) { try DeviceSpec(text) } }

    @Test("takes a memory file system with its options")
    func memory() throws {
        let spec = try MemoryFileSystem("/var/cache:size=64m,mode=755,noexec")
        #expect(spec.target == "/var/cache")
        #expect(spec.parameters == [.init("size", "64m"), .init("mode", "755")])
        #expect(spec.attributes == [.noSetuid, .noDevices, .noExecute])
        #expect(try MemoryFileSystem("/x").parameters == [.init("mode", "1777")])
        #expect(try MemoryFileSystem("/x:dev,suid").attributes == [])
    }

    @Test(
        "refuses a memory file system where it cannot be, or with what it does not know",
        arguments: [
            "", "x", "/", "/proc", "/sys/x", "/dev", "/dev/shm", "/a/../proc", "/x:siez=1", "/x:,=", "/x:foo",
        ])
    func badMemory(_ text: String) { #expect(throws: RequestError.self) { try MemoryFileSystem(text) } }
}
