import Libc
import Platform

/// Graphics, display and sound, as far as containers could share them.
enum DesktopExamination {
    static func findings(_ environment: Environment) -> [Finding] {
        [graphics(nodes: devices(), hasNvidiaDriver: HostText.exists("/proc/driver/nvidia/version"))]
            + display(environment, exists: HostText.exists) + sound(environment, exists: HostText.exists)
    }

    /// The nodes by which programs reach a GPU, by their names below `/dev`.
    private static func devices() -> [String] {
        let prefixes = ["nvidia", "kgsl", "mali"]
        let nodes = ((try? Directory.open("/dev").entries()) ?? []).map(\.name.text).filter { name in
            ["kfd", "dxg"].contains(name) || prefixes.contains { name.hasPrefix($0) }
        }
        let dri = ((try? Directory.open("/dev/dri").entries()) ?? []).filter { $0.kind == .characterDevice }
        return (dri.map { "dri/\($0.name.text)" } + nodes).sorted()
    }

    static func graphics(nodes: [String], hasNvidiaDriver: Bool) -> Finding {
        let id = "gpu.devices"
        if hasNvidiaDriver, !nodes.contains("nvidia0") {
            return Finding(
                id, .warning, "the driver of NVIDIA is loaded, and /dev/nvidia0 is not there",
                because: "containers find no GPU", remedy: "nvidia-modprobe -u -c=0")
        }
        if nodes.isEmpty {
            return Finding(
                id, .note, "no GPU is seen in /dev", because: "programs in containers draw with the processor"
            )
        }
        return Finding(
            id, .ok, "GPU devices: " + nodes.map { Quoted($0).description }.joined(separator: ", "))
    }

    static func display(_ environment: Environment, exists: (HostPath) -> Bool) -> [Finding] {
        var findings: [Finding] = []
        if let name = environment.nonEmpty("WAYLAND_DISPLAY") {
            let folder = environment.nonEmpty("XDG_RUNTIME_DIR").map { HostPath($0) }
            let socket = name.hasPrefix("/") ? HostPath(name) : folder.map { $0 / name }
            findings.append(
                socketFinding("display.wayland", "Wayland", "WAYLAND_DISPLAY", socket, exists: exists))
        }
        if let name = environment.nonEmpty("DISPLAY") {
            if name.hasPrefix(":") {
                let number = name.dropFirst().prefix { $0.isNumber }
                let socket: HostPath = "/tmp/.X11-unix"
                findings.append(
                    socketFinding("display.x11", "X11", "DISPLAY", socket / "X\(number)", exists: exists))
            } else {
                findings.append(Finding("display.x11", .ok, "X11 is reached by the network: \(Quoted(name))"))
            }
            if let cookie = environment.nonEmpty("XAUTHORITY"), !exists(HostPath(cookie)) {
                findings.append(
                    Finding(
                        "display.xauthority", .warning,
                        "XAUTHORITY names \(Quoted(cookie)), which is not there",
                        because: "the X server refuses programs without it",
                        remedy: "Log in to the desktop again."))
            }
        }
        if findings.isEmpty {
            findings.append(
                Finding(
                    "display.none", .note, "neither WAYLAND_DISPLAY nor DISPLAY is set",
                    because: "graphical programs in containers find no screen"))
        }
        return findings
    }

    private static func socketFinding(
        _ id: String, _ name: String, _ variable: String, _ socket: HostPath?, exists: (HostPath) -> Bool
    ) -> Finding {
        if let socket, exists(socket) { return Finding(id, .ok, "\(name) is at \(socket)") }
        let place = socket.map(\.description) ?? "XDG_RUNTIME_DIR, which is not set"
        return Finding(
            id, .warning, "\(variable) is set, and there is no socket at \(place)",
            because: "graphical programs in containers find no screen",
            remedy: "Run it in a terminal of the desktop, or unset \(variable).")
    }

    static func sound(_ environment: Environment, exists: (HostPath) -> Bool) -> [Finding] {
        if let server = environment.nonEmpty("PULSE_SERVER"), !server.hasPrefix("unix:"),
            !server.hasPrefix("/")
        {
            return [Finding("sound.server", .ok, "sound goes to \(Quoted(server))")]
        }
        let named = environment.nonEmpty("PULSE_SERVER").map { text in
            HostPath(text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text)
        }
        let folder = environment.nonEmpty("XDG_RUNTIME_DIR").map { HostPath($0) }
        let sockets = [named, folder.map { $0 / "pulse/native" }, folder.map { $0 / "pipewire-0" }]
        let found = sockets.compactMap { $0 }.filter(exists)
        if found.isEmpty {
            return [
                Finding(
                    "sound.server", .note, "no PulseAudio or PipeWire socket is there",
                    because: "programs in containers make no sound")
            ]
        }
        return [
            Finding(
                "sound.server", .ok, "sound goes to " + found.map(\.description).joined(separator: " and "))
        ]
    }
}
