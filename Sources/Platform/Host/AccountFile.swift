import Libc

/// The texts of passwd(5) and group(5) as values.
///
/// The text may be a guest's and so anybody's: a line that is not well-formed is skipped, and of two entries with
/// the same name the first counts, as it does for getpwnam(3). The caller limits the size of what it reads.
package enum AccountFile {
    /// A line of passwd(5).
    package struct User: Hashable, Sendable {
        package let name: RawString
        package let uid: uid_t
        package let gid: gid_t
        package let home: RawString
        package let shell: RawString

        package init(name: RawString, uid: uid_t, gid: gid_t, home: RawString, shell: RawString) {
            self.name = name
            self.uid = uid
            self.gid = gid
            self.home = home
            self.shell = shell
        }
    }

    /// A line of group(5).
    package struct Group: Hashable, Sendable {
        package let name: RawString
        package let gid: gid_t
        package let members: [RawString]

        package init(name: RawString, gid: gid_t, members: [RawString]) {
            self.name = name
            self.gid = gid
            self.members = members
        }
    }

    /// The users in the order of the file.
    package static func users(_ text: [UInt8]) -> [User] {
        var seen = SeenNames()
        return lines(text, fields: 7).compactMap { fields in
            guard let uid = number(fields[2]), let gid = number(fields[3]), seen.insert(fields[0])
            else {
                return nil
            }
            return User(name: fields[0], uid: uid, gid: gid, home: fields[5], shell: fields[6])
        }
    }

    /// The groups in the order of the file.
    package static func groups(_ text: [UInt8]) -> [Group] {
        var seen = SeenNames()
        return lines(text, fields: 4).compactMap { fields in
            guard let gid = number(fields[2]), seen.insert(fields[0]) else { return nil }
            let members = fields[3].bytes.split(separator: UInt8(ascii: ",")).compactMap {
                RawString(bytes: $0)
            }
            return Group(name: fields[0], gid: gid, members: members)
        }
    }

    /// Names that have come already.
    ///
    /// The first time that a program has a `Set` of some type, the runtime looks through all that it knows: that takes
    /// longer than to look through the names of an ordinary file.
    private struct SeenNames {
        private var few: [RawString] = []
        private var many: Set<RawString>?

        /// False for one that is there.
        mutating func insert(_ name: RawString) -> Bool {
            if many != nil { return many?.insert(name).inserted == true }
            if few.contains(name) { return false }
            few.append(name)
            if few.count > 256 { many = Set(few) }
            return true
        }
    }

    /// The lines with exactly that many fields, the first of which is a name and not a NIS entry (`+`, `-`).
    private static func lines(_ text: [UInt8], fields count: Int) -> [[RawString]] {
        text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .compactMap { RawString(bytes: $0) }
            guard fields.count == count, let first = fields[0].bytes.first,
                ![UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "#")].contains(first)
            else { return nil }
            return fields
        }
    }

    /// A decimal id; never 4294967295, which means "leave as it is" to chown(2) and setresuid(2).
    package static func number(_ field: RawString) -> UInt32? {
        guard !field.bytes.isEmpty, field.bytes.allSatisfy({ (0x30...0x39).contains($0) }),
            let value = UInt32(field.text), value != .max
        else { return nil }
        return value
    }
}
