import CLinux
import Libc
import Platform
import Store

/// The file systems of the store.
enum DiskExamination {
    static func findings(_ layout: StateLayout, isTermux: Bool) -> [Finding] {
        var findings: [Finding] = []
        for (name, path) in [("data", layout.data), ("cache", layout.cache)] {
            let place = existing(path)
            do {
                let fileSystem = try FileSystem(of: try Directory.open(place))
                findings += judge(fileSystem, name, path, isTermux: isTermux)
            } catch {
                let id = "disk.\(name)-space"
                findings.append(
                    error.code == EACCES ? .needsRoot(id, "\(path)") : Finding(id, unreadable: error))
            }
        }
        return findings
    }

    /// The path, or the closest directory above it that is there.
    static func existing(_ path: HostPath) -> HostPath {
        var place = path
        while place != "/", access(place.rawValue, F_OK) != 0, errno == ENOENT { place = place.parent }
        return place
    }

    static func judge(_ system: FileSystem, _ name: String, _ path: HostPath, isTermux: Bool) -> [Finding] {
        var findings = [space(system, name, path)]
        if system.isReadOnly {
            findings.append(
                Finding(
                    "disk.\(name)-read-only", .problem,
                    "\(path) is on a file system that is mounted read-only",
                    because: "nothing can be installed, changed or started", remedy: "mount -o remount,rw …"))
        }
        if let files = system.freeFiles, files < 20_000 {
            findings.append(
                Finding(
                    "disk.\(name)-files", files < 1000 ? .problem : .warning,
                    "only \(files) more files can be made where \(path) is",
                    because: "a system has tens of thousands of files",
                    remedy: "Delete files there, or use another disk."))
        }
        guard name == "data" else { return findings }
        let private_ = isTermux ? " (inside, the flag is taken off)" : ""
        for (word, isSet, severity, loss) in [
            (
                "nosuid", system.isNosuid, Finding.Severity.warning,
                "sudo, su and ping do not work in containers"
            ),
            ("nodev", system.isNodev, .note, "device nodes of the image are dead; /dev is not concerned"),
            ("noexec", system.isNoexec, .problem, "no program of a container can be started"),
        ] where isSet {
            findings.append(
                Finding(
                    "disk.data-\(word)", isTermux ? .note : severity,
                    "\(path) is on a file system that is mounted \(word)\(private_)",
                    because: isTermux ? nil : loss,
                    remedy: isTermux
                        ? nil : "Keep the store elsewhere (XDG_DATA_HOME), or take \(word) out of /etc/fstab."
                ))
        }
        return findings
    }

    private static func space(_ system: FileSystem, _ name: String, _ path: HostPath) -> Finding {
        let kind = system.type.map { " (\($0))" } ?? ""
        let summary = "\(ByteCount(system.free)) of \(ByteCount(system.size)) are free for \(path)\(kind)"
        guard system.free < 1 << 30 else { return Finding("disk.\(name)-space", .ok, summary) }
        return Finding(
            "disk.\(name)-space", system.free < 100 << 20 ? .problem : .warning, summary,
            because: "an installation needs several times the size of what is downloaded",
            remedy: "chroot-distro list --measure")
    }
}
