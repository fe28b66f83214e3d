import CLinux
import Libc
import Platform

/// Gives a new file the owner, attributes, mode and times of its entry, in this order.
///
/// A change of the owner clears setuid and capabilities (chown(2)), and every other change moves the times. What is
/// already so is not changed: a look costs a tenth of a change.
enum EntryMetadata {
    /// Returns what the file was like before.
    @discardableResult
    static func apply(
        _ entry: TarEntry, to file: borrowing FileDescriptor, _ report: inout TreeReport
    ) throws(SystemError) -> FileStatus {
        let raw = file.rawValue
        let made = try file.status()
        let isOwned = made.owner == entry.owner && made.group == entry.group
        let mode =
            isOwned ? entry.permissions : try own(entry, &report) { fchown(raw, entry.owner, entry.group) }
        for attribute in entry.attributes where attribute.isWanted {
            do { try file.setAttribute(attribute.name, attribute.value) } catch {
                report.skippedAttributes += 1
            }
        }
        // An access control list changes the mode as well.
        if !isOwned || made.permissions != mode || !entry.attributes.isEmpty {
            try setPermissions(of: file, mode, &report)
        }
        try setTimes(file, accessed: entry.accessed ?? entry.modified, modified: entry.modified)
        return made
    }

    /// For what cannot be opened: links and nodes.
    ///
    /// The owner goes by a descriptor of it (open(2), O_PATH), where there is one.
    static func apply(
        _ entry: TarEntry, to name: RawString, in directory: borrowing Directory, opened: Int32? = nil,
        _ report: inout TreeReport
    ) throws(SystemError) {
        let raw = directory.raw
        let mode = try own(entry, &report) {
            if let opened { return fchownat(opened, "", entry.owner, entry.group, cd_at_empty_path) }
            return name.withCString { fchownat(raw, $0, entry.owner, entry.group, AT_SYMLINK_NOFOLLOW) }
        }
        for attribute in entry.attributes where attribute.isWanted {
            do { try directory.setAttribute(of: name, attribute.name, attribute.value) } catch {
                report.skippedAttributes += 1
            }
        }
        // A link has no mode of its own; a node that was just made is no link.
        if entry.kind != .symbolicLink { try directory.setPermissions(name, mode) }
        var times = [entry.accessed ?? entry.modified, entry.modified]
        try syscall("utimensat") { name.withCString { utimensat(raw, $0, &times, AT_SYMLINK_NOFOLLOW) } }
    }

    /// Some file systems have modes that nobody can change (mount(8), vfat).
    private static func setPermissions(
        of file: borrowing FileDescriptor, _ mode: mode_t, _ report: inout TreeReport
    ) throws(SystemError) {
        let raw = file.rawValue
        do { try syscall("fchmod") { fchmod(raw, mode) } } catch  where error.code == EPERM {
            report.skippedModes += 1
        }
    }

    static func setTimes(
        _ file: borrowing FileDescriptor, accessed: timespec, modified: timespec
    ) throws(SystemError) {
        let raw = file.rawValue
        let times = (accessed, modified)
        try withUnsafeBytes(of: times) { (bytes) throws(SystemError) in
            _ = try syscall("futimens") {
                futimens(raw, bytes.baseAddress?.assumingMemoryBound(to: timespec.self))
            }
        }
    }

    /// Takes off what an entry of a lower layer had.
    static func clearAttributes(
        _ file: borrowing FileDescriptor, except kept: [TarEntry.Attribute] = []
    ) throws(SystemError) {
        for name in try file.attributeNames() where TarEntry.Attribute.isWanted(name) {
            if kept.contains(where: { $0.name == name }) { continue }
            do { try file.removeAttribute(name) } catch
                where [EPERM, EACCES, ENOTSUP, ENODATA].contains(error.code)
            {}
        }
    }

    /// The mode to make a file with: its own, unless attributes come first that only a file of our own takes.
    static func firstMode(_ entry: TarEntry) -> mode_t {
        entry.attributes.isEmpty ? entry.permissions & 0o777 : 0o600
    }

    /// Sets the owner and returns the mode that goes with it.
    ///
    /// Without root everything belongs to the caller. In a user namespace some owners do not exist (`EINVAL`); then
    /// nobody else's programs may become setuid to whom the file belongs instead.
    private static func own(
        _ entry: TarEntry, _ report: inout TreeReport, _ body: () -> Int32
    ) throws(SystemError) -> mode_t {
        guard geteuid() == 0 else { return entry.permissions }
        do { try syscall("fchown", "", body) } catch  where [EPERM, EINVAL].contains(error.code) {
            report.skippedOwners += 1
            return entry.permissions & ~0o6000
        }
        return entry.permissions
    }
}

extension TarEntry.Attribute {
    var isWanted: Bool { Self.isWanted(name) }

    /// Labels are the host's policy, not the tree's; overlayfs's own marks would hide files from the guest.
    package static func isWanted(_ name: RawString) -> Bool {
        name != "security.selinux" && !name.bytes.starts(with: overlayMark)
    }

    private static let overlayMark = Array("trusted.overlay.".utf8)
}
