import Platform

/// The name of a container: a letter or digit, then letters, digits, `_`, `.` and `-`.
///
/// It is one harmless path component, so it may be joined to a directory of the store.
package struct ContainerName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ text: String) throws(NameError) {
        guard Self.isLegal(text) else { throw NameError(text: text) }
        description = text
    }

    /// The longest name that leaves room for the suffixes of temporary names (NAME_MAX is 255).
    private static let maximumLength = 200

    private static func isLegal(_ text: String) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= maximumLength else {
            return false
        }
        return text.utf8.allSatisfy { isAlphanumeric($0) || [0x5f, 0x2e, 0x2d].contains($0) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    /// As a file name.
    var file: RawString { RawString(description) }
}

extension ContainerName: Comparable {
    package static func < (left: ContainerName, right: ContainerName) -> Bool {
        left.description < right.description
    }
}

/// A text that cannot name a container.
package struct NameError: UserFacing, Equatable {
    package let text: String

    package var message: String { "\(Quoted(text)) cannot be the name of a container" }
    package var hint: String? {
        "A name starts with a letter or digit and has only letters, digits, '_', '.' and '-', at most 200 of them."
    }
}
