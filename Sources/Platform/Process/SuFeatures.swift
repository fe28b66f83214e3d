/// What an Android `su` can do, read off its `--help`.
package struct SuFeatures: Hashable, Sendable {
    package var mountMaster = false
    package var preserveEnvironment = false
    package var interactive = false
    package var shell = false
    /// Whether it is the script of Termux that found no real `su`.
    package var isStub = false

    package init() {}

    package init(help: [UInt8]) {
        let text = String(decoding: help, as: UTF8.self)
        mountMaster = text.contains(text: "--mount-master")
        preserveEnvironment = text.contains(text: "--preserve-environment")
        interactive = text.contains(text: "--interactive")
        shell = text.contains(text: "--shell")
        isStub =
            text.contains(text: "No su program found")
            || text.contains(text: "Termux does not supply tools for rooting")
    }

    /// Where rooting tools put their `su`, most usual first.
    package static let places: [HostPath] = [
        "/system/bin/su", "/debug_ramdisk/su", "/system/xbin/su", "/sbin/su", "/sbin/bin/su",
        "/system/sbin/su",
        "/su/xbin/su", "/su/bin/su", "/magisk/.core/bin/su",
    ]
}
