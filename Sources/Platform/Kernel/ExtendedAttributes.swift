import CLinux
import Libc

extension FileDescriptor {
    /// Sets an extended attribute, whether or not there is one of that name (fsetxattr(2)).
    package func setAttribute(_ name: RawString, _ value: [UInt8]) throws(SystemError) {
        try syscall("fsetxattr", name.description) {
            name.withCString { cd_fsetxattr(rawValue, $0, value, value.count) }
        }
    }

    package func removeAttribute(_ name: RawString) throws(SystemError) {
        try syscall("fremovexattr", name.description) { name.withCString { cd_fremovexattr(rawValue, $0) } }
    }

    /// The names of all extended attributes that the caller may see; none where the file system has no such thing.
    package func attributeNames() throws(SystemError) -> [RawString] {
        try ExtendedAttributes.names { cd_flistxattr(rawValue, $0, $1) }
    }

    /// The value of an extended attribute.
    package func attribute(_ name: RawString) throws(SystemError) -> [UInt8] {
        try ExtendedAttributes.value(name) { cd_fgetxattr(rawValue, $0, $1, $2) }
    }
}

/// For names that cannot be opened, such as symbolic links and device nodes: none of these follows a link.
extension Directory {
    package func setAttribute(of entry: RawString, _ name: RawString, _ value: [UInt8]) throws(SystemError) {
        let path = attributePath(entry)
        try syscall("lsetxattr", name.description) {
            path.withCString { path in name.withCString { cd_lsetxattr(path, $0, value, value.count) } }
        }
    }

    package func attributeNames(of entry: RawString) throws(SystemError) -> [RawString] {
        try ExtendedAttributes.names { list, size in
            entry.withCString { cd_list_attributes(raw, $0, list, size) }
        }
    }

    package func attribute(of entry: RawString, _ name: RawString) throws(SystemError) -> [UInt8] {
        let path = attributePath(entry)
        return try ExtendedAttributes.value(name) { name, value, size in
            path.withCString { cd_lgetxattr($0, name, value, size) }
        }
    }

    /// The kernel has no calls that take a directory and a name (Linux 6.13 has), so the way leads through /proc.
    private func attributePath(_ entry: RawString) -> RawString {
        RawString(bytes: Array("\(descriptor.procPath)/".utf8) + entry.bytes) ?? entry
    }
}

private enum ExtendedAttributes {
    /// The kernel's own limits on a list and on a value (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
    private static let limit = 65536

    static func names(_ list: (UnsafeMutablePointer<CChar>?, Int) -> Int) throws(SystemError) -> [RawString] {
        // Most files have none, and asking for the size costs less than a buffer.
        do {
            if try syscall("listxattr", "", { list(nil, 0) }) == 0 { return [] }
        } catch  where error.code == ENOTSUP { return [] }
        var buffer = [CChar](repeating: 0, count: limit)
        let count = try syscall("listxattr") { list(&buffer, limit) }
        return buffer[..<count].split(separator: 0).compactMap {
            RawString(bytes: $0.map { UInt8(bitPattern: $0) })
        }
    }

    static func value(
        _ name: RawString, _ get: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    ) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = try syscall("getxattr", name.description) { name.withCString { get($0, &buffer, limit) } }
        return Array(buffer[..<count])
    }
}
