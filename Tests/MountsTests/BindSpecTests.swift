import Mounts
import Platform
import Testing

@Suite("A bind as it is written")
struct BindSpecTests {
    @Test(
        "has a source, a target and options",
        arguments: [
            ("/srv", "/srv", "/srv", "rbind"), ("/srv:/data", "/srv", "/data", "rbind"),
            ("/srv:", "/srv", "/srv", "rbind"), ("/srv::ro", "/srv", "/srv", "rbind,ro"),
            ("/srv:/a/./b//c:ro,nosuid", "/srv", "/a/b/c", "rbind,ro,nosuid"),
            ("/srv/:/data/", "/srv", "/data", "rbind"), ("/srv:/data:bind,rw", "/srv", "/data", "bind,rw"),
            ("/srv:/data:ro,rw", "/srv", "/data", "rbind,rw"), ("/srv:/data:z", "/srv", "/data", "rbind"),
            ("/dev/kmsg:/dev/kmsg", "/dev/kmsg", "/dev/kmsg", "rbind"),
        ] as [(String, String, String, String)])
    func parses(_ text: String, source: String, target: String, options: String) throws {
        let spec = try BindSpec(text)
        #expect(spec.source.rawValue == source)
        #expect(spec.target.absolute.text == target)
        #expect(spec.options.description == options)
    }

    @Test("is taken against the working directory when its source is relative")
    func relativeSource() throws {
        let spec = try BindSpec("some/where:/x")
        #expect(spec.source == HostPath("some/where").absolute)
        #expect(spec.source.isAbsolute)
    }

    @Test(
        "is refused with the reason",
        arguments: [
            ("", "source"), (":/x", "source"), ("/a:x", "absolute"), ("/a:/x/../y", "'..'"),
            ("/a:/", "system mounts"),
            ("/a:/proc", "system mounts"), ("/a:/proc/sys", "system mounts"), ("/a:/sys/fs", "system mounts"),
            ("/a:/dev", "system mounts"), ("/a:/dev/pts", "system mounts"),
            ("/a:/dev/shm/x", "system mounts"),
            ("/a:/x:readonly", "readonly"), ("/a:/x:ro,,bogus", "bogus"), ("/a:/x:RO", "RO"),
        ] as [(String, String)])
    func refuses(_ text: String, saying reason: String) {
        let error = #expect(throws: BindError.self) { try BindSpec(text) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(error?.hint != nil)
    }

    @Test(
        "turns each option into attributes to set and to clear",
        arguments: [
            ("ro", MountAttributes.readOnly, []), ("rw", [], .readOnly), ("nosuid", .noSetuid, []),
            ("suid", [], .noSetuid), ("nodev", .noDevices, []), ("dev", [], .noDevices),
            ("noexec", .noExecute, []),
            ("exec", [], .noExecute), ("noatime", .noAccessTime, []), ("strictatime", .strictAccessTime, []),
            ("nodiratime", .noDirectoryAccessTime, []), ("diratime", [], .noDirectoryAccessTime),
            ("nosymfollow", .noSymbolicLinks, []), ("symfollow", [], .noSymbolicLinks), ("z", [], []),
            ("noatime,strictatime", .strictAccessTime, []), ("ro,rw,ro", .readOnly, []),
        ] as [(String, MountAttributes, MountAttributes)])
    func attributes(of options: String, set: MountAttributes, clear: MountAttributes) throws {
        let change = try BindSpec("/a:/b:\(options)").options.attributes
        #expect(change.set == set)
        #expect(change.clear == clear)
    }

    @Test("counts relatime as a change, though its number is 0")
    func relatime() throws {
        #expect(try BindSpec("/a:/b:relatime").options.attributes.isEmpty == false)
        #expect(try BindSpec("/a:/b:z,rbind").options.attributes.isEmpty)
    }
}
