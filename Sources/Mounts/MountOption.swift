/// The words of `mount(8)` that a bind accepts; each undoes or repeats one attribute.
package enum MountOption: String, CaseIterable, Sendable {
    case ro, rw, nosuid, suid, nodev, dev, noexec, exec
    case noatime, relatime, strictatime, nodiratime, diratime
    case nosymfollow, symfollow
    /// Only the mount itself, or with all that is mounted below it (the default).
    case bind, rbind
    /// SELinux labels of other programs: accepted so that their command lines work, and of no effect.
    case z, Z

    package func apply(to options: inout BindOptions) {
        switch self {
        case .ro: options.attributes.on(.readOnly)
        case .rw: options.attributes.off(.readOnly)
        case .nosuid: options.attributes.on(.noSetuid)
        case .suid: options.attributes.off(.noSetuid)
        case .nodev: options.attributes.on(.noDevices)
        case .dev: options.attributes.off(.noDevices)
        case .noexec: options.attributes.on(.noExecute)
        case .exec: options.attributes.off(.noExecute)
        case .noatime: options.attributes.accessTime(.noAccessTime)
        case .relatime: options.attributes.accessTime([])
        case .strictatime: options.attributes.accessTime(.strictAccessTime)
        case .nodiratime: options.attributes.on(.noDirectoryAccessTime)
        case .diratime: options.attributes.off(.noDirectoryAccessTime)
        case .nosymfollow: options.attributes.on(.noSymbolicLinks)
        case .symfollow: options.attributes.off(.noSymbolicLinks)
        case .bind: options.recursive = false
        case .rbind: options.recursive = true
        case .z, .Z: break
        }
    }
}

extension MountOption {
    /// The options of a file system and its mount in the form of mount(8).
    package static func words(_ parameters: [MountStep.Parameter], _ attributes: MountAttributes) -> [String]
    {
        parameters.map { parameter in parameter.value.map { "\(parameter.key)=\($0)" } ?? parameter.key }
            + words(attributes)
    }

    static func words(_ attributes: MountAttributes) -> [String] {
        let table: [(MountAttributes, MountOption)] = [
            (.readOnly, .ro), (.noSetuid, .nosuid), (.noDevices, .nodev), (.noExecute, .noexec),
            (.noAccessTime, .noatime), (.strictAccessTime, .strictatime),
            (.noDirectoryAccessTime, .nodiratime),
            (.noSymbolicLinks, .nosymfollow),
        ]
        return table.filter { attributes.contains($0.0) }.map(\.1.rawValue)
    }
}

/// How a host path is bound.
package struct BindOptions: Hashable, Sendable {
    package var recursive = true
    /// Applied to the mount and, when recursive, to every mount below it.
    package var attributes = AttributeChange()
    /// Whose files are shown as whose; `nil` shows them as they are.
    package var owners: OwnerMapping?

    package init() {}

    package static let readOnly: BindOptions = {
        var options = BindOptions()
        MountOption.ro.apply(to: &options)
        return options
    }()
}

extension BindOptions: CustomStringConvertible {
    /// The words of mount(8) that say the same, in one order.
    package var description: String {
        var words =
            [recursive ? MountOption.rbind : .bind].map(\.rawValue) + MountOption.words(attributes.set)
        let undone: [(MountAttributes, MountOption)] = [
            (.readOnly, .rw), (.noSetuid, .suid), (.noDevices, .dev), (.noExecute, .exec),
            (.noDirectoryAccessTime, .diratime), (.noSymbolicLinks, .symfollow),
        ]
        words += undone.filter { attributes.clear.contains($0.0) }.map(\.1.rawValue)
        if attributes.resetsAccessTime, attributes.set.isDisjoint(with: [.noAccessTime, .strictAccessTime]) {
            words.append(MountOption.relatime.rawValue)
        }
        return words.joined(separator: ",")
    }
}

extension AttributeChange {
    fileprivate mutating func on(_ attribute: MountAttributes) {
        set.insert(attribute)
        clear.remove(attribute)
    }

    fileprivate mutating func off(_ attribute: MountAttributes) {
        set.remove(attribute)
        clear.insert(attribute)
    }

    fileprivate mutating func accessTime(_ attribute: MountAttributes) {
        set.subtract([.noAccessTime, .strictAccessTime])
        set.formUnion(attribute)
        resetsAccessTime = true
    }
}
