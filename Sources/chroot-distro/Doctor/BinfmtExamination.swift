import Platform

/// Programs of other machines: what the kernel hands to an emulator (binfmt_misc).
enum BinfmtExamination {
    private static let folder: HostPath = "/proc/sys/fs/binfmt_misc"

    /// One registration.
    struct Entry: Equatable {
        let interpreter: HostPath
        let flags: String
        let isEnabled: Bool
        let architecture: Architecture?

        /// From a file such as `/proc/sys/fs/binfmt_misc/qemu-aarch64`.
        init?(_ text: String) {
            var interpreter: String?
            var flags = ""
            var magic: [UInt8] = []
            let lines = text.split(separator: "\n")
            for line in lines {
                if line.hasPrefix("interpreter ") { interpreter = String(line.dropFirst(12)) }
                if line.hasPrefix("flags: ") { flags = String(line.dropFirst(7)) }
                if line.hasPrefix("magic ") { magic = Self.bytes(line.dropFirst(6)) }
            }
            guard let interpreter else { return nil }
            self.interpreter = HostPath(interpreter)
            self.flags = flags
            isEnabled = lines.first == "enabled"
            architecture = ELF.architecture(header: magic)
        }

        private static func bytes(_ text: Substring) -> [UInt8] {
            let digits = Array(text)
            return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...($0 + 1)]), radix: 16)
            }
        }

        /// Whether the kernel keeps the emulator open, so that it need not be in the container (flag F).
        var isPinned: Bool { flags.contains("F") }
    }

    /// `needed` are the machines of installed containers.
    static func findings(host: HostSystem, needed: Set<Architecture>) -> [Finding] {
        var entries: [Entry] = []
        let names = (try? Directory.open(folder).entries().map(\.name.text)) ?? []
        for name in names where name != "status" && name != "register" {
            if let entry = HostText.text(folder / name).flatMap({ Entry($0) }) { entries.append(entry) }
        }
        let foreign = Architecture.allCases.filter { !runsNatively($0, on: host) }
        return foreign.map { machine in
            judge(
                machine, entries.first { $0.architecture == machine && $0.isEnabled }, host: host,
                isNeeded: needed.contains(machine), isMounted: !names.isEmpty, exists: HostText.exists)
        }
    }

    /// What the processor runs by itself; of 32-bit ARM on 64-bit nobody but the processor knows.
    static func runsNatively(_ machine: Architecture, on host: HostSystem) -> Bool {
        machine == host.architecture || (machine == .i686 && host.architecture == .x86_64)
            || (machine == .arm && host.architecture == .aarch64)
    }

    static func judge(
        _ machine: Architecture, _ entry: Entry?, host: HostSystem, isNeeded: Bool, isMounted: Bool,
        exists: (HostPath) -> Bool
    ) -> Finding {
        let id = "binfmt.\(machine)"
        let severity: Finding.Severity = isNeeded ? .problem : .note
        guard let entry else {
            let mounting = "mount -t binfmt_misc binfmt_misc \(folder)"
            return Finding(
                id, severity, "programs for \(machine) do not run: no emulator is registered",
                because: isNeeded
                    ? "an installed container is made of such programs"
                    : "images for \(machine) cannot be used",
                remedy: [
                    isMounted ? nil : mounting,
                    MissingProgram("qemu-\(qemuName(machine))-static", on: host).hint,
                ]
                .compactMap { $0 }.joined(separator: " · "))
        }
        if !entry.isPinned {
            return Finding(
                id, isNeeded ? .warning : .note,
                "programs for \(machine) run by \(entry.interpreter), which every container would have to have",
                because:
                    "it is registered without the flag F, so the kernel looks for it inside the container",
                remedy: "Register it with the flag F; the package qemu-user-static or qemu-user-binfmt does.")
        }
        // A pinned emulator works even when its file has gone; at the next boot it does not.
        guard exists(entry.interpreter) else {
            return Finding(
                id, .warning, "the emulator for \(machine) is gone: \(entry.interpreter)",
                because: "it works until the next reboot only",
                remedy: MissingProgram("qemu-\(qemuName(machine))-static", on: host).hint)
        }
        return Finding(id, .ok, "programs for \(machine) run by \(entry.interpreter)")
    }

    private static func qemuName(_ machine: Architecture) -> String {
        machine == .i686 ? "i386" : machine.rawValue
    }
}
