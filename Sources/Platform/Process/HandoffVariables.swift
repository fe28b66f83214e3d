/// The variables that cross over to root.
package enum HandoffVariables {
    /// What becomes of a variable on the other side.
    package enum Crossing: Hashable, Sendable { case applied, remembered, dropped }

    private static let applied: Set<RawString> = [
        "PD_DOCKER_AUTH", "CHROOT_DISTRO_NO_ELEVATE", "CHROOT_DISTRO_USE_SUDO",
        // Where state, settings and credentials are.
        "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE",
        // The terminal.
        "TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "LANG",
        // The network; curl reads the proxies in both cases.
        "http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy",
        "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
        // The display, the sound and the session bus.
        "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "XDG_CURRENT_DESKTOP",
        "DESKTOP_SESSION",
        "PULSE_SERVER", "DBUS_SESSION_BUS_ADDRESS",
        // Android.
        "BOOTCLASSPATH", "DEX2OATBOOTCLASSPATH", "EXTERNAL_STORAGE",
    ]

    package static func crossing(_ name: RawString) -> Crossing {
        if name == "HOME" || name == "XDG_RUNTIME_DIR" { return .remembered }
        if applied.contains(name) { return .applied }
        let families = ["CD_", "TERMUX_", "ANDROID_"].map { Array($0.utf8) }
        return families.contains { name.bytes.starts(with: $0) } ? .applied : .dropped
    }
}
