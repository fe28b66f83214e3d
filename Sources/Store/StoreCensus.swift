import CLinux
import Libc
import Platform

/// What lies in a data folder, looked at without making or changing anything.
package struct StoreCensus: Sendable {
    /// One installed container.
    package struct Entry: Sendable {
        package let name: ContainerName
        /// Whether the machine went down before it was on the disk.
        package let wasInterrupted: Bool
        /// What is wrong with `manifest.json`; `nil` when it is right or, for a plain archive, absent.
        package let manifestDefect: String?
        /// The machine that its image is for.
        package let architecture: String?
        package let isEmpty: Bool
    }

    package private(set) var containers: [Entry] = []
    /// Names in `containers/` behind which there is no root file system.
    package private(set) var strangers: [RawString] = []
    /// Containers in the making whose maker is gone.
    package private(set) var unfinished: [RawString] = []
    package private(set) var trash: [RawString] = []
    /// Temporary files that killed writers left.
    package private(set) var temporaryFiles: [RawString] = []
    /// The names in `index.json`; `nil` when it is absent or damaged.
    package private(set) var indexed: [String]?
    /// Who besides root could read or change the store.
    package private(set) var laxFolders: [String] = []

    /// `nil` when there is no store.
    package static func take(_ layout: StateLayout) throws -> StoreCensus? {
        guard access(layout.data.rawValue, F_OK) == 0 else { return nil }
        var census = StoreCensus()
        let data = try Directory.open(layout.data)
        census.indexed = (try? PublicIndex.read(layout))??.containers.map(\.name)
        if let containers = try Self.open("containers", in: data) {
            try census.count(containers)
            if try containers.status().permissions & 0o077 != 0 { census.laxFolders.append("containers") }
        }
        if try data.status().permissions & 0o022 != 0 { census.laxFolders.append(".") }
        if let staging = try Self.open("staging", in: data) { try census.countUnfinished(staging) }
        if let trash = try Self.open("trash", in: data) { census.trash = try trash.entries().map(\.name) }
        census.temporaryFiles = try data.entries().map(\.name).filter { $0.bytes.starts(with: ".tmp-".utf8) }
        return census
    }

    private static func open(_ name: RawString, in data: borrowing Directory) throws(SystemError)
        -> Directory?
    {
        guard try data.statusIfPresent(name) != nil else { return nil }
        return try data.openDirectory(name)
    }

    private mutating func count(_ containers: borrowing Directory) throws {
        for entry in try containers.entries() {
            guard let name = try? ContainerName(entry.name.text),
                let directory = try? containers.openDirectory(entry.name),
                let rootfs = try? directory.openDirectory("rootfs")
            else {
                strangers.append(entry.name)
                continue
            }
            let isEmpty = (try? rootfs.entries().isEmpty) ?? false
            let container = Container(name: name, directory: directory)
            self.containers.append(Self.look(at: container, isEmpty: isEmpty))
        }
        self.containers.sort { $0.name < $1.name }
    }

    private static func look(at container: borrowing Container, isEmpty: Bool) -> Entry {
        var defect: String?
        var architecture: String?
        do { architecture = try container.manifest().architecture } catch {
            defect = (error as? any UserFacing)?.message ?? "manifest.json is not valid"
        }
        return Entry(
            name: container.name, wasInterrupted: Flushing.wasInterrupted(container), manifestDefect: defect,
            architecture: architecture, isEmpty: isEmpty)
    }

    /// A new directory is left alone for a moment: to look whether it is locked is to lock it, and its maker,
    /// who is about to, must not find it so.
    private mutating func countUnfinished(_ staging: borrowing Directory) throws {
        let now = time(nil)
        for entry in try staging.entries() where entry.kind == .directory {
            guard let directory = try? staging.openDirectory(entry.name),
                let changed = try? directory.status().changed, now - Int(changed.tv_sec) > 2,
                (try? directory.tryLock()) == true
            else { continue }
            unfinished.append(entry.name)
        }
    }

    /// Whether `index.json` names exactly the containers that are there.
    package var indexIsRight: Bool { indexed.map { Set($0) } == Set(containers.map(\.name.description)) }
}
