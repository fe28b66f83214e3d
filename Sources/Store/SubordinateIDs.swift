import Libc
import Platform

/// What subuid(5) and subgid(5) give away: ids that are meant for the namespaces of one user or another.
package struct SubordinateIDs: Hashable, Sendable {
    /// Ranges of both files that belong to root.
    package var ofRoot: [IDRange]
    /// Every range of either file that is somebody else's.
    package var ofOthers: [IDRange]

    package init(users: [UInt8], groups: [UInt8]) {
        let (first, second) = (Self.entries(users), Self.entries(groups))
        let rootsGroups = second.filter(\.isRoot).map(\.range)
        // Containers take the same numbers for users and groups.
        ofRoot = first.filter(\.isRoot).flatMap { entry in
            rootsGroups.compactMap { entry.range.common(with: $0) }
        }
        ofOthers = (first + second).filter { !$0.isRoot }.map(\.range)
    }

    /// As they are on this host; a file that is missing gives nothing away.
    package static func ofThisHost() -> SubordinateIDs {
        func content(_ path: HostPath) -> [UInt8] {
            guard let file = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK) else { return [] }
            return (try? file.readAll(limit: 1 << 20)) ?? []
        }
        return SubordinateIDs(users: content("/etc/subuid"), groups: content("/etc/subgid"))
    }

    private static func entries(_ text: [UInt8]) -> [(isRoot: Bool, range: IDRange)] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 3, let start = UInt32(fields[1]), let count = UInt32(fields[2]),
                let range = IDRange(start: start, count: count)
            else { return nil }
            return (["root", "0"].contains(fields[0]), range)
        }
    }

    /// The places for a whole container, the best first: within what is root's, then above all that people use.
    ///
    /// The latter are those that systemd-nspawn(1) leaves alone on its own.
    func places() -> some Sequence<IDRange> {
        let size = IDRange.systemSize
        let own = ofRoot.flatMap { range in
            stride(from: UInt64(range.start), through: UInt64(range.end), by: Int(size))
                .compactMap { IDRange(start: UInt32($0), count: size) }.filter(range.contains)
        }
        let pool = (Self.poolStart...Self.poolEnd).lazy.compactMap { IDRange(start: $0 * size, count: size) }
        let others = ofOthers
        return [AnySequence(own), AnySequence(pool)].lazy.joined().filter { place in
            !others.contains(where: place.overlaps)
        }
    }

    /// In units of a whole container: from 1,879,048,192 on, and below what a signed number can hold.
    private static let poolStart: UInt32 = 0x7000
    private static let poolEnd: UInt32 = 0x7ffe
}

extension IDRange {
    fileprivate func common(with other: IDRange) -> IDRange? {
        let first = max(start, other.start)
        let last = min(end, other.end)
        return first < last ? IDRange(start: first, count: last - first) : nil
    }
}

extension ContainerStore {
    static let rangeFile: RawString = "ids"
    private static let rangeLock: RawString = "ids"

    /// The ids of this host that belong to this container alone, given out once and kept until it is removed.
    ///
    /// What is recorded counts as long as nobody else was given one of them. The record knows its directory, so a copy
    /// of a container gets ids of its own.
    package func range(
        of container: borrowing Container, among ids: SubordinateIDs = .ofThisHost(), recording: Bool = true
    ) throws -> IDRange {
        if let range = Self.recordedRange(in: container.directory, among: ids) { return range }
        let lock = try FileLock(locks, Self.rangeLock, .exclusive, wait: true)
        let range = try chooseRange(for: container, among: ids, recording: recording)
        lock.release()
        return range
    }

    /// Finds a place that is nobody's; under the lock.
    private func chooseRange(
        for container: borrowing Container, among ids: SubordinateIDs, recording: Bool
    ) throws -> IDRange {
        if let range = Self.recordedRange(in: container.directory, among: ids) { return range }
        var taken: [IDRange] = []
        for name in try names() where name != container.name {
            guard let directory = try? containers.openDirectory(name.file),
                let range = Self.recordedRange(in: directory, among: ids)
            else { continue }
            taken.append(range)
        }
        guard let range = ids.places().first(where: { place in !taken.contains(where: place.overlaps) })
        else {
            throw StoreError.noIDs(container.name)
        }
        if recording { try Self.record(range, in: container.directory) }
        return range
    }

    private static func record(_ range: IDRange, in directory: borrowing Directory) throws(SystemError) {
        let text = "\(range.start) \(range.count) \(try directory.status().inode)\n"
        try directory.replaceFile(Self.rangeFile, with: Array(text.utf8), durable: false)
    }

    /// Lets the directory that will replace another one have its ids.
    static func moveRange(from old: borrowing Directory, to new: borrowing Directory) throws(SystemError) {
        guard let range = recordedRange(in: old, among: SubordinateIDs(users: [], groups: [])) else { return }
        try record(range, in: new)
    }

    private static func recordedRange(in directory: borrowing Directory, among ids: SubordinateIDs)
        -> IDRange?
    {
        guard let bytes = try? directory.readFile(Self.rangeFile, limit: 256),
            let inode = try? directory.status().inode
        else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard fields.count == 3, let start = UInt32(fields[0]), let count = UInt32(fields[1]),
            count == IDRange.systemSize, UInt64(fields[2]) == inode,
            let range = IDRange(start: start, count: count), start >= IDRange.systemSize,
            !ids.ofOthers.contains(where: range.overlaps)
        else { return nil }
        return range
    }
}
