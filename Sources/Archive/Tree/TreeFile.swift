import CLinux
import Libc
import Platform

/// A regular file of a tree that is being read.
final class TreeFile {
    let descriptor: FileDescriptor
    private var size: Int64 = 0
    private var extents: ArraySlice<SparseExtent> = []
    private var position: Int64 = 0
    /// Whether any of its data has been asked for.
    private(set) var isUsed = false

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Gets ready to read what `status` says is there, or the parts of it that are `stored`.
    func begin(_ status: FileStatus, _ stored: [SparseExtent]?) {
        size = status.size
        extents = stored.map { $0[...] } ?? (size > 0 ? [SparseExtent(offset: 0, length: size)] : [])
        position = extents.first?.offset ?? 0
    }

    // MARK: - Reading

    /// The next piece of the data, in `buffer`.
    ///
    /// A file that has become shorter ends in zeros, so that there is as much of it as was announced.
    func nextStretch(_ buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> TarStretch? {
        isUsed = true
        guard let extent = extents.first else { return nil }
        let end = extent.offset + extent.length
        let room = UnsafeMutableRawBufferPointer(
            rebasing: buffer[..<Int(min(end - position, Int64(buffer.count)))])
        var count = try descriptor.read(into: room, at: position)
        if count == 0 {
            room.initializeMemory(as: UInt8.self, repeating: 0)
            count = room.count
        }
        let stretch = TarStretch(
            offset: position, bytes: UnsafeRawBufferPointer(rebasing: room[..<count]))
        position += Int64(count)
        if position == end {
            extents = extents.dropFirst()
            if let next = extents.first { position = next.offset }
        }
        return stretch
    }

    // MARK: - Copying

    /// What is worth a system call of its own that copies inside the kernel.
    private static let smallest: Int64 = 1 << 17

    /// Copies the data into an empty file: shared where the file system can, otherwise inside the kernel.
    ///
    /// `clones` says whether it is worth to ask for sharing, and becomes false when that is refused.
    func copy(
        to destination: borrowing FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer,
        _ clones: inout Bool
    ) throws(SystemError) {
        isUsed = true
        guard size > 0 else { return try copyUnannounced(to: destination, buffer) }
        if clones {
            clones = cd_ficlone(destination.rawValue, descriptor.rawValue) == 0
            // It may have grown since it was looked at.
            if clones { return try destination.truncate(to: size) }
        }
        for extent in extents {
            let copied = extent.length < Self.smallest ? 0 : try copyInKernel(extent, to: destination)
            try copyRest(extent, from: copied, to: destination, buffer)
        }
    }

    /// Files of the kernel's own say that they are empty, and are not (proc(5)).
    private func copyUnannounced(
        to destination: borrowing FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        var done: Int64 = 0
        while case let count = try descriptor.read(into: buffer, at: done), count > 0 {
            try destination.writeAll(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += Int64(count)
        }
    }

    /// Copies as much of the extent as the kernel does (copy_file_range(2)); how much that was.
    private func copyInKernel(
        _ extent: SparseExtent, to destination: borrowing FileDescriptor
    ) throws(SystemError) -> Int64 {
        var done: Int64 = 0
        while done < extent.length {
            let length = Int(min(extent.length - done, 1 << 30))
            let count = cd_copy_range(
                descriptor.rawValue, destination.rawValue, extent.offset + done, length)
            // Not between these file systems, or not of this file, or it is shorter now: the rest is read and written.
            guard count > 0 else { break }
            done += Int64(count)
        }
        return done
    }

    private func copyRest(
        _ extent: SparseExtent, from start: Int64, to destination: borrowing FileDescriptor,
        _ buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) {
        var done = start
        if done < extent.length { try destination.seek(to: extent.offset + done) }
        while done < extent.length {
            let room = UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<Int(min(extent.length - done, Int64(buffer.count)))])
            let count = try descriptor.read(into: room, at: extent.offset + done)
            // It is shorter by now, or is one of the kernel's, whose sizes mean nothing.
            if count == 0 { return }
            try destination.writeAll(UnsafeRawBufferPointer(rebasing: room[..<count]))
            done += Int64(count)
        }
    }

    // MARK: - Comparing

    /// Whether both have the same bytes, up to the size that was announced; holes of both are passed over.
    func hasData(
        of other: borrowing FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Bool {
        let half = buffer.count / 2
        let own = UnsafeMutableRawBufferPointer(rebasing: buffer[..<half])
        let others = UnsafeMutableRawBufferPointer(rebasing: buffer[half...])
        var position: Int64 = 0
        while position < size {
            let start = min(try nextData(descriptor, position), try nextData(other, position))
            guard start < size else { return true }
            let length = Int(min(Int64(half), size - start))
            try Self.read(descriptor, own, length, at: start)
            try Self.read(other, others, length, at: start)
            guard own[..<length].elementsEqual(others[..<length]) else { return false }
            position = start + Int64(length)
        }
        return true
    }

    /// The next place that may have data; the size when there is none.
    private func nextData(
        _ file: borrowing FileDescriptor, _ position: Int64
    ) throws(SystemError) -> Int64 {
        do { return try file.seek(to: position, from: cd_seek_data) } catch {
            switch error.code {
            case ENXIO: return size
            case EINVAL, ENOTSUP: return position
            default: throw error
            }
        }
    }

    /// What is beyond the end reads as zeros.
    private static func read(
        _ file: borrowing FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer, _ length: Int,
        at offset: Int64
    ) throws(SystemError) {
        var done = 0
        while done < length {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<length])
            let count = try file.read(into: room, at: offset + Int64(done))
            if count == 0 {
                room.initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            done += count
        }
    }

    // MARK: - Holes

    /// The parts that have data (lseek(2), SEEK_DATA); `nil` when there are no holes, or nobody can tell.
    func findExtents(_ size: Int64) throws(SystemError) -> [SparseExtent]? {
        var found = ExtentList()
        var position: Int64 = 0
        while position < size {
            guard let start = try seek(to: position, cd_seek_data) else { break }
            if start < 0 { return nil }
            guard start < size else { break }
            let hole = try seek(to: start, cd_seek_hole) ?? size
            let end = min(hole, size)
            guard end > start else { break }
            found.append(SparseExtent(offset: start, length: end - start))
            position = end
        }
        return found.extents == [SparseExtent(offset: 0, length: size)] ? nil : found.extents
    }

    /// Where it is; `nil` beyond the end of what is looked for, negative where the file system cannot tell.
    private func seek(to position: Int64, _ whence: Int32) throws(SystemError) -> Int64? {
        do { return try descriptor.seek(to: position, from: whence) } catch {
            switch error.code {
            case ENXIO: return nil
            case EINVAL, ENOTSUP: return -1
            default: throw error
            }
        }
    }
}

/// Parts of a file, of which the nearest ones are joined when there are too many to be kept.
struct ExtentList {
    private(set) var extents: [SparseExtent] = []
    /// A hole must be larger than this to count.
    private var smallestHole: Int64 = 0

    mutating func append(_ extent: SparseExtent) {
        join(extent)
        while extents.count > SparseMap.limit / 2 {
            smallestHole = max(65536, smallestHole * 2)
            let all = extents
            extents.removeAll(keepingCapacity: true)
            for extent in all { join(extent) }
        }
    }

    private mutating func join(_ extent: SparseExtent) {
        guard let last = extents.last, extent.offset - (last.offset + last.length) <= smallestHole else {
            return extents.append(extent)
        }
        let length = extent.offset + extent.length - last.offset
        extents[extents.count - 1] = SparseExtent(offset: last.offset, length: length)
    }
}
