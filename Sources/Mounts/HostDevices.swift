import CLinux
import Platform

/// The devices of this host that a container may use: graphics, sound, input, video, tunnels, serial lines.
package struct HostDevices: Hashable, Sendable {
    package let steps: [MountStep]

    package static let none = HostDevices(steps: [])

    /// Whole directories: bound, so that a device which is plugged in later shows up.
    private static let directories: [RawString] = ["dri", "snd", "input", "binderfs", "nvidia-caps"]

    /// Single nodes, by the start of their names; made anew with the host's numbers, owner and mode.
    private static let nodePrefixes: [RawString] = ["nvidia", "kgsl", "mali", "video", "ttyUSB", "ttyACM"]
    private static let nodes: [RawString] = ["kfd", "dxg", "fuse", "kvm", "uinput"]

    /// What is in `/dev` now; unreadable entries are left out.
    package static func found(in path: HostPath = "/dev") -> HostDevices {
        guard let directory = try? Directory.open(path), let entries = try? directory.entries() else {
            return .none
        }
        var steps: [MountStep] = []
        // The many that are none of these are not worth sorting.
        for entry in entries.filter({ isKnown($0.name) }).sorted(by: { $0.name < $1.name }) {
            let target = GuestPath(components: ["dev", entry.name])
            if directories.contains(entry.name), let status = try? directory.status(entry.name),
                status.kind == .directory
            {
                steps.append(.bind(BindSpec(source: path / entry.name.text, target: target), required: false))
            } else if isNode(entry.name), let status = try? directory.status(entry.name),
                let node = DeviceNode(status)
            {
                steps.append(.node(target, node))
            } else if entry.name == "net", let tun = tunnel(in: directory) {
                steps += [.directory(target, mode: 0o755), .node(target.appending("tun"), tun)]
            }
        }
        return HostDevices(steps: steps)
    }

    /// The device that a path is, without a name, or those in a directory, with theirs.
    package static func nodes(at path: HostPath) -> [(name: RawString?, node: DeviceNode)] {
        guard let file = try? FileDescriptor.open(path, cd_o_path), let status = try? file.status() else {
            return []
        }
        if let node = DeviceNode(status) { return [(nil, node)] }
        guard status.kind == .directory, let directory = try? Directory.open(path),
            let entries = try? directory.entries()
        else { return [] }
        return entries.sorted { $0.name < $1.name }.compactMap { entry in
            guard let status = try? directory.status(entry.name), let node = DeviceNode(status) else {
                return nil
            }
            return (entry.name, node)
        }
    }

    private static func isKnown(_ name: RawString) -> Bool {
        name == "net" || directories.contains(name) || isNode(name)
    }

    private static func isNode(_ name: RawString) -> Bool {
        nodes.contains(name) || nodePrefixes.contains { name.bytes.starts(with: $0.bytes) }
    }

    private static func tunnel(in directory: borrowing Directory) -> DeviceNode? {
        guard let net = try? directory.openDirectory("net"), let status = try? net.status("tun") else {
            return nil
        }
        return DeviceNode(status)
    }
}
