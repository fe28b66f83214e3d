/// A program that is needed and not installed.
package struct MissingProgram: UserFacing, Hashable {
    package let name: String
    /// The package that has it here, when that is known.
    package let package: String?
    private let installer: String?

    package init(_ name: String, on host: HostSystem) {
        self.name = name
        package = Self.package(of: name, on: host)
        if host.termux != nil {
            installer = "pkg install"
        } else {
            installer =
                switch host.distribution.family {
                case .debian: "apt install"
                case .fedora: "dnf install"
                case .arch: "pacman -S"
                case .alpine: "apk add"
                case nil: nil
                }
        }
    }

    package var message: String { "the program \(Quoted(name)) is not installed" }

    package var hint: String? {
        guard let package else { return "Install \(Quoted(name)) with the package manager of this system." }
        return installer.map { "Install it with: \($0) \(package)" } ?? "It is in the package \(package)."
    }

    /// The names of one program's package.
    private struct Packages {
        let debian: String?
        let fedora: String?
        let arch: String?
        let alpine: String?
        let termux: String?

        init(_ debian: String?, _ fedora: String?, _ arch: String?, _ alpine: String?, termux: String?) {
            self.debian = debian
            self.fedora = fedora
            self.arch = arch
            self.alpine = alpine
            self.termux = termux
        }
    }

    private static let table: [String: Packages] = {
        let shadow = Packages("uidmap", "shadow-utils", "shadow", "shadow-subids", termux: nil)
        let squashfs = Packages(
            "squashfs-tools", "squashfs-tools", "squashfs-tools", "squashfs-tools", termux: "squashfs-tools")
        return [
            "proot": Packages("proot", "proot", "proot", "proot", termux: "proot"),
            "newuidmap": shadow, "newgidmap": shadow,
            "xauth": Packages("xauth", "xorg-x11-xauth", "xorg-xauth", "xauth", termux: "xorg-xauth"),
            "mksquashfs": squashfs, "unsquashfs": squashfs,
            "sudo": Packages("sudo", "sudo", "sudo", "sudo", termux: "sudo"),
            "doas": Packages("opendoas", "opendoas", "opendoas", "doas", termux: nil),
            "pkexec": Packages("pkexec", "polkit", "polkit", "polkit", termux: nil),
            "su": Packages("util-linux", "util-linux", "util-linux", "util-linux-login", termux: nil),
        ]
    }()

    /// The package that has a program on this system; `nil` when that is not known.
    package static func package(of name: String, on host: HostSystem) -> String? {
        guard let packages = table[name] ?? family(of: name) else { return nil }
        if host.termux != nil { return packages.termux }
        return switch host.distribution.family {
        case .debian: packages.debian
        case .fedora: packages.fedora
        case .arch: packages.arch
        case .alpine: packages.alpine
        case nil: packages.debian
        }
    }

    /// Programs of which there is one for each machine or each kind of key store.
    private static func family(of name: String) -> Packages? {
        if name.hasPrefix("docker-credential-") {
            let each = "docker-credential-helpers"
            return Packages("golang-docker-credential-helpers", each, each, each, termux: nil)
        }
        guard name.hasPrefix("qemu-") else { return nil }
        var machine = String(name.dropFirst("qemu-".count))
        let isStatic = machine.hasSuffix("-static")
        if isStatic { machine.removeLast("-static".count) }
        // Termux and Alpine have a package for each machine; Termux writes x86-64.
        let termux = "qemu-user-" + machine.split(separator: "_").joined(separator: "-")
        let whole = isStatic ? "qemu-user-static" : "qemu-user"
        return Packages(whole, whole, whole, "qemu-\(machine)", termux: termux)
    }
}
