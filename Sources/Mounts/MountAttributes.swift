import CLinux

/// Per-mount attributes of `mount_setattr(2)`: they belong to one mount, not to the file system behind it.
package struct MountAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountAttributes(rawValue: UInt64(cd_mount_rdonly))
    package static let noSetuid = MountAttributes(rawValue: UInt64(cd_mount_nosuid))
    package static let noDevices = MountAttributes(rawValue: UInt64(cd_mount_nodev))
    package static let noExecute = MountAttributes(rawValue: UInt64(cd_mount_noexec))
    package static let noAccessTime = MountAttributes(rawValue: UInt64(cd_mount_noatime))
    package static let strictAccessTime = MountAttributes(rawValue: UInt64(cd_mount_strictatime))
    package static let noDirectoryAccessTime = MountAttributes(rawValue: UInt64(cd_mount_nodiratime))
    package static let noSymbolicLinks = MountAttributes(rawValue: UInt64(cd_mount_nosymfollow))

    /// The access-time settings are one number, not bits: setting one means clearing all of this first.
    static let accessTimeMask = UInt64(cd_mount_atime_mask)
}

/// What to switch on and off in a mount's attributes.
package struct AttributeChange: Hashable, Sendable {
    package var set: MountAttributes
    package var clear: MountAttributes

    package init(set: MountAttributes = [], clear: MountAttributes = []) {
        self.set = set
        self.clear = clear
    }

    package var isEmpty: Bool { self.set.isEmpty && clear.isEmpty && !resetsAccessTime }
    /// `relatime` is the number 0, so it shows only here.
    package var resetsAccessTime = false

    /// The mask to clear as the kernel wants it.
    var clearMask: UInt64 {
        let times: MountAttributes = [.noAccessTime, .strictAccessTime]
        let touchesTimes =
            resetsAccessTime || !self.set.isDisjoint(with: times) || !clear.isDisjoint(with: times)
        return clear.subtracting(times).rawValue | (touchesTimes ? MountAttributes.accessTimeMask : 0)
    }
}
