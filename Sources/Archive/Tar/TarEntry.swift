import Libc
import Platform

/// One member of a tar archive, without its data.
package struct TarEntry: Sendable {
    /// What a member makes.
    package enum Kind: Hashable, Sendable {
        case regular, directory, symbolicLink, hardLink, characterDevice, blockDevice, fifo
        /// A type that no system of ours knows; the byte is the one in the header.
        case unknown(UInt8)
    }

    /// An extended attribute as `setxattr(2)` takes it.
    package struct Attribute: Hashable, Sendable {
        package let name: RawString
        package let value: [UInt8]

        package init(_ name: RawString, _ value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package var kind: Kind
    /// As it stands in the archive: it may be absolute, climb with `..` or be anything else.
    package var path: RawString
    /// What a symbolic link contains, or the path in the archive that a hard link means.
    package var linkTarget: RawString = ""
    /// The permission bits with setuid, setgid and sticky.
    package var permissions: mode_t
    package var owner: uid_t = 0
    package var group: gid_t = 0
    /// Names of owner and group, often empty.
    package var ownerName: RawString = ""
    package var groupName: RawString = ""
    /// Bytes of the file once it is unpacked; 0 for everything but regular files.
    package var size: Int64 = 0
    package var modified = timespec()
    package var accessed: timespec?
    package var changed: timespec?
    /// What a device node stands for.
    package var major: UInt32 = 0
    package var minor: UInt32 = 0
    package var attributes: [Attribute] = []
    /// What the writer wanted to say about it; other programs pass over it (pax, `comment`).
    package var comment: RawString?
    /// The parts of a sparse file that have data, in order; `nil` for an ordinary file.
    package var stored: [SparseExtent]?

    package init(_ kind: Kind, _ path: RawString, permissions: mode_t) {
        self.kind = kind
        self.path = path
        self.permissions = permissions
    }
}

extension TarEntry {
    /// Whether both would make the same file, apart from its data and what no tree has: names of owners, and other times.
    package func describesTheSame(as other: TarEntry) -> Bool {
        func plain(_ path: RawString) -> ArraySlice<UInt8> {
            path.bytes.last == UInt8(ascii: "/") ? path.bytes.dropLast() : path.bytes[...]
        }
        return kind == other.kind && plain(path) == plain(other.path) && linkTarget == other.linkTarget
            && permissions == other.permissions && owner == other.owner && group == other.group
            && size == other.size && major == other.major && minor == other.minor
            && modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec
            && Set(attributes) == Set(other.attributes)
    }
}

/// A part of a sparse file that has data; what lies between such parts reads as zeros.
package struct SparseExtent: Hashable, Sendable {
    package let offset: Int64
    package let length: Int64

    package init(offset: Int64, length: Int64) {
        self.offset = offset
        self.length = length
    }
}

/// A piece of a file's data and where it belongs in the file; only valid until the reader is used again.
package struct TarStretch {
    package let offset: Int64
    package let bytes: UnsafeRawBufferPointer

    package init(offset: Int64, bytes: UnsafeRawBufferPointer) {
        self.offset = offset
        self.bytes = bytes
    }
}
