// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A module of our own Swift code, with the one set of settings that all of them share.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// A C library of the distribution: a module map and a shim header under `Sources/`.
func library(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "chroot-distro",
    dependencies: [],
    targets: [
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra"])]),
        room("Libc", []),
        room("Platform", ["CLinux", "Libc"]),
        .target(
            name: "CTransport", cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra"])],
            linkerSettings: [.linkedLibrary("dl")]),
        room("OCI", ["CLinux", "CTransport", "Libc", "Platform"]),
        tests("Platform", ["Platform"]),
        tests("OCI", ["OCI", "CLinux", "Libc", "Platform"]),
    ]
)
