import Platform
import Store

/// Which variables a guest gets: the host's own never cross over by themselves.
enum EnvironmentRules {
    static let path =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/games:/usr/games"

    private static let android: [RawString] = [
        "ANDROID_ART_ROOT", "ANDROID_DATA", "ANDROID_I18N_ROOT", "ANDROID_ROOT", "ANDROID_RUNTIME_ROOT",
        "ANDROID_TZDATA_ROOT", "BOOTCLASSPATH", "DEX2OATBOOTCLASSPATH", "EXTERNAL_STORAGE",
    ]

    /// What an image may not set: it is decided at login.
    private static let notFromImage: [RawString] =
        android + [
            "MOZ_FAKE_NO_SANDBOX", "PULSE_SERVER", "TERM", "COLORTERM", "DISPLAY", "WAYLAND_DISPLAY",
            "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_SESSION_TYPE",
            "XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "GALLIUM_DRIVER", "MESA_D3D12_DEFAULT_DEVICE_TYPE",
            "LIBGL_ALWAYS_SOFTWARE", "__NV_PRIME_RENDER_OFFLOAD", "__GLX_VENDOR_LIBRARY_NAME",
        ]

    /// Later ones win: the base, the image, Android, what was asked for, and who the user is.
    static func environment(
        _ request: LaunchRequest, host: HostFacts, guest: GuestFacts, identity: GuestAccounts.Identity
    ) throws(LaunchError) -> Environment {
        let asked = try requested(request, host: host)
        var result = Environment()
        if !request.isMinimal {
            result["PATH"] = RawString(path)
            result["HOSTNAME"] = RawString(request.hostname ?? guest.name.description)
            if host.termux != nil, !request.isClosed {
                result["MOZ_FAKE_NO_SANDBOX"] = "1"
                result["PULSE_SERVER"] = "127.0.0.1"
            }
            let image = Environment(entries: guest.manifest.settings.environment.map { RawString($0) })
            result = result.merging(image.filter { !notFromImage.contains($0) })
            if host.termux != nil, !request.isClosed {
                result = result.merging(host.environment.filter { android.contains($0) })
            }
        }
        result = result.merging(asked)
        result["TERM"] = RawString(terminal(asked: asked["TERM"]?.text, host: host, guest: guest))
        if request.mode != .isolated, let color = host.environment["COLORTERM"], asked["COLORTERM"] == nil {
            result["COLORTERM"] = color
        }
        if !request.isMinimal {
            result["HOME"] = identity.home
            result["USER"] = identity.name
            if asked["LOGNAME"] == nil { result["LOGNAME"] = identity.name }
            if asked["SHELL"] == nil { result["SHELL"] = identity.shell }
            if let termux = host.termux, !request.isClosed {
                result["PATH"] = appending(termux.prefix / "bin", to: result["PATH"])
            }
        }
        return result
    }

    /// `CD_ENV`, one variable a line, and then each `--env`.
    private static func requested(_ request: LaunchRequest, host: HostFacts) throws(LaunchError)
        -> Environment
    {
        let lines =
            host.environment["CD_ENV"]?.bytes.split(separator: 10).compactMap { RawString(bytes: $0) } ?? []
        var result = Environment()
        for entry in lines + request.environment where !entry.bytes.isEmpty {
            let name = entry.bytes.prefix { $0 != UInt8(ascii: "=") }
            guard !name.isEmpty, let key = RawString(bytes: name) else { throw .badVariable(entry.text) }
            result[key] = RawString(bytes: entry.bytes.dropFirst(name.count + 1))
        }
        return result
    }

    /// The terminal's type, when the guest knows it.
    private static func terminal(asked: String?, host: HostFacts, guest: GuestFacts) -> String {
        if let asked, !asked.isEmpty { return asked }
        if let type = host.environment.nonEmpty("TERM"), guest.terminals.contains(type) { return type }
        return "xterm-256color"
    }

    private static func appending(_ directory: HostPath, to path: RawString?) -> RawString {
        let parts = (path?.text ?? Self.path).split(separator: ":").map(String.init)
        return RawString(
            (parts.filter { $0 != directory.rawValue } + [directory.rawValue]).joined(separator: ":"))
    }
}
