import Mounts
import Platform

/// What a container on Android sees of it by default: the system, the shared storage and Termux itself.
enum TermuxBinds {
    /// Parents stand before what lies below them, so that nothing is covered again.
    static func steps(_ termux: Termux, exists: (HostPath) -> Bool) -> [MountStep] {
        var paths: [HostPath] = [
            "/apex", "/odm", "/product", "/system", "/system_ext", "/vendor", "/linkerconfig/ld.config.txt",
            "/linkerconfig/com.android.art/ld.config.txt", "/plat_property_contexts", "/property_contexts",
            "/data/app", "/data/dalvik-cache", "/data/misc/apexdata/com.android.art/dalvik-cache",
            HostPath("/data/data/\(termux.package)"),
        ]
        if !termux.prefix.rawValue.hasPrefix("/data/data/\(termux.package)/") { paths.append(termux.prefix) }
        var steps = paths.filter(exists).map { bind($0, at: GuestPath($0.rawValue)) }
        let storages: [HostPath] = ["/storage/self/primary", "/storage/emulated/0", "/sdcard"]
        if exists("/storage/emulated/0") {
            steps += [
                bind("/storage", at: "/storage"), bind("/storage/emulated/0", at: "/sdcard"),
                bind("/storage/emulated/0", at: "/mnt/sdcard"),
            ]
        } else if let storage = storages.first(where: exists) {
            for target in ["/mnt/sdcard", "/sdcard", "/storage/emulated/0", "/storage/self/primary"] {
                steps.append(bind(storage, at: GuestPath(target)))
            }
        }
        return steps
    }

    private static func bind(_ source: HostPath, at target: GuestPath) -> MountStep {
        .bind(BindSpec(source: source, target: target), required: false)
    }
}
