import Libc
import OCI
import Platform
import Store

/// Containers and the rooms beside them.
enum StoreExamination {
    static func judge(_ census: StoreCensus, _ layout: StateLayout, host: HostSystem) -> [Finding] {
        rooms(census, layout) + census.containers.flatMap { judge($0) }
    }

    private static func rooms(_ census: StoreCensus, _ layout: StateLayout) -> [Finding] {
        let count = census.containers.count
        var findings = [
            census.indexIsRight
                ? Finding("store.index", .ok, "\(count) container\(count == 1 ? "" : "s"), all in the index")
                : Finding(
                    "store.index", .warning,
                    census.indexed == nil
                        ? "the index is missing or damaged"
                        : "the index names other containers than there are",
                    because: "list, ps and completion without root rely on it",
                    remedy: "chroot-distro doctor --fix", repair: .index)
        ]
        for (id, names, what) in [
            ("store.staging", census.unfinished, "unfinished installations"),
            ("store.trash", census.trash, "trees that are not deleted completely"),
            ("store.temporary-files", census.temporaryFiles, "temporary files of killed commands"),
        ] where !names.isEmpty {
            findings.append(
                Finding(
                    id, .note, "\(names.count) \(what): " + names.map(\.description).joined(separator: ", "),
                    because: "they take space; the next command that changes something sweeps them",
                    remedy: "chroot-distro doctor --fix", repair: .sweep))
        }
        for name in census.strangers {
            findings.append(
                Finding(
                    "store.stranger", .note, "\(name) is among the containers and has no rootfs directory",
                    because: "no command sees it", remedy: "Look at it in \(layout.data / "containers")",
                    subject: name.description))
        }
        for folder in census.laxFolders {
            let path = folder == "." ? layout.data : layout.data / folder
            findings.append(
                Finding(
                    "store.permissions", .problem, "others than root may enter or change \(path)",
                    because:
                        "programs in containers that run as root whoever starts them could be reached from the host",
                    remedy: "chmod \(folder == "." ? "go-w" : "go-rwx") \(ShellWords.quote(path.rawValue))",
                    subject: folder))
        }
        return findings
    }

    private static func judge(_ entry: StoreCensus.Entry) -> [Finding] {
        let name = entry.name.description
        var findings: [Finding] = []
        if entry.wasInterrupted {
            findings.append(
                Finding(
                    "container.unflushed", .problem,
                    "the machine went down while \(name) was written to the disk",
                    because: "files in it may be empty or missing",
                    remedy: "chroot-distro remove \(name), and install it anew", subject: name))
        }
        if let defect = entry.manifestDefect {
            findings.append(
                Finding(
                    "container.manifest", .warning, defect,
                    because: "what the image says of its command, user and variables is not known",
                    remedy: "chroot-distro remove \(name), and install it anew", subject: name))
        }
        if entry.isEmpty {
            findings.append(
                Finding(
                    "container.empty", .problem, "the root file system of \(name) is empty",
                    because: "nothing in it can be started",
                    remedy: "chroot-distro remove \(name), and install it anew", subject: name))
        }
        return findings
    }

    /// Tries an overlay where containers are made, and leaves nothing.
    static func overlay(_ store: borrowing ContainerStore) -> Finding {
        let id = "kernel.overlay"
        do {
            let staging = try store.stage(try ContainerName("doctor-\(UInt32.random(in: 0 ... .max))"))
            let trial = (try? FileSystemTrial.overlay(in: staging.directory)) ?? .notTried
            try staging.discard(in: store)
            if trial.isSuccess { return Finding(id, .ok, "overlays work where the containers are") }
            return Finding(
                id, .note, "no overlay can be made where the containers are: \(trial.reason)",
                because: "throw-away changes (run --rm) have to be kept in memory",
                remedy: "Load the module: modprobe overlay")
        } catch { return Finding(id, unreadable: error) }
    }

    /// Tries to shift the owners of the data folder's file system.
    static func idmap(_ path: HostPath) -> Finding {
        let id = "kernel.idmapped-mounts"
        do {
            let trial = FileSystemTrial.idmap(of: try Directory.open(DiskExamination.existing(path)))
            if trial.isSuccess {
                return Finding(id, .ok, "mounts with shifted owners work where the containers are")
            }
            return Finding(
                id, .note, "mounts with shifted owners do not work where the containers are: \(trial.reason)",
                because:
                    "--isolated falls back to fewer capabilities and a filter; --isolated=strict refuses",
                remedy: "Keep the store on ext4, xfs, btrfs or f2fs, with Linux 5.12 or later.")
        } catch { return Finding(id, unreadable: error) }
    }
}

/// The image store.
enum ImageExamination {
    static func findings(_ layout: StateLayout, thoroughly: Bool) -> [Finding] {
        do {
            guard let images = try ImageLayout.openExisting(layout.cache) else {
                return [Finding("images.store", .ok, "no image has been fetched yet")]
            }
            return judge(try ImageCensus.take(images, thoroughly: thoroughly), thoroughly: thoroughly)
        } catch { return [Finding("images.store", unreadable: error)] }
    }

    static func judge(_ census: ImageCensus, thoroughly: Bool) -> [Finding] {
        let depth = thoroughly ? "every digest is right" : "complete; --verify also reads them"
        var findings: [Finding] = []
        if census.defects.isEmpty {
            let count = census.images
            findings.append(Finding("images.store", .ok, "\(count) image\(count == 1 ? "" : "s"), \(depth)"))
        }
        for defect in census.defects {
            let image = Quoted(defect.image).description
            let again = "chroot-distro install --pull always \(ShellWords.quote(image))"
            if let reason = defect.reason {
                findings.append(
                    Finding(
                        "images.blob-damaged", .problem, "\(image): \(reason)",
                        because: "it cannot be installed again without the network",
                        remedy: "chroot-distro doctor --verify --fix", subject: image,
                        repair: .blob(defect.digest)))
            } else {
                findings.append(
                    Finding(
                        "images.blob-missing", .warning, "\(image) lacks \(defect.digest)",
                        because: "it cannot be installed again without the network", remedy: again,
                        subject: image))
            }
        }
        if census.parts.files > 0 {
            findings.append(
                Finding(
                    "images.unfinished-downloads", .note,
                    "\(census.parts.files) unfinished downloads take \(ByteCount(census.parts.bytes))",
                    because: "the next installation goes on with them", remedy: "chroot-distro doctor --fix",
                    repair: .parts))
        }
        return findings
    }
}
