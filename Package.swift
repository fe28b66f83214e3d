// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// For what becomes part of the program: each function in a section of its own, so that those which nobody calls are left
/// out; and no regular expressions, which every module would otherwise be linked with.
let lean: [SwiftSetting] = [
    .unsafeFlags([
        "-Xfrontend", "-function-sections", "-Xfrontend", "-disable-implicit-string-processing-module-import",
    ])
]

/// A module of our own Swift code, with the one set of settings that all of them share.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + lean)
}

/// A C library of the distribution: a module map and a shim header under `Sources/`.
func library(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, swiftSettings: settings)
}

/// C code of our own.
func shim(_ name: String) -> Target {
    .target(
        name: name, cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-Wall", "-Wextra"])],
        linkerSettings: [.linkedLibrary("dl")])
}

let package = Package(
    name: "chroot-distro",
    dependencies: [],
    targets: [
        shim("CLinux"),
        shim("CLibMount"),
        shim("CTransport"),
        shim("CIsal"),
        shim("CDeflate"),
        shim("CSeccomp"),
        library("CZlib", apt: "zlib1g-dev"),
        library("CLzma", apt: "liblzma-dev"),
        library("CZstd", apt: "libzstd-dev"),
        library("CBzip2", apt: "libbz2-dev"),

        room("Libc", []),
        room("Platform", ["CLinux", "Libc"]),
        room("Mounts", ["CLinux", "CLibMount", "Libc", "Platform"]),
        room("Namespaces", ["CLinux", "CSeccomp", "Libc", "Platform"]),
        room(
            "Archive",
            ["CBzip2", "CDeflate", "CIsal", "CLinux", "CLzma", "CZlib", "CZstd", "Libc", "Platform"]),
        room("CLI", ["CLinux", "Libc", "Platform"]),
        room("Store", ["Archive", "CLinux", "Libc", "Platform"]),
        room("OCI", ["Archive", "CLinux", "CTransport", "Libc", "Platform"]),
        room("Session", ["CLinux", "Libc", "Mounts", "Namespaces", "Platform", "Store"]),
        .executableTarget(
            name: "chroot-distro",
            dependencies: [
                "Archive", "CLI", "CLinux", "Libc", "Mounts", "Namespaces", "OCI", "Platform", "Session",
                "Store",
            ], swiftSettings: settings + lean),

        tests("Platform", ["CLinux", "Libc", "Platform"]),
        tests("CLI", ["CLI", "CLinux", "Libc", "Platform"]),
        tests("Archive", ["Archive", "CLinux", "Libc", "Platform", "TestSupport"]),
        tests("OCI", ["Archive", "CLinux", "Libc", "OCI", "Platform", "TestSupport"]),
        tests("Mounts", ["CLinux", "Libc", "Mounts", "Platform", "TestSupport"]),
        tests("Namespaces", ["CLinux", "CSeccomp", "Libc", "Namespaces", "Platform", "TestSupport"]),
        tests("Store", ["CLinux", "Libc", "Platform", "Store", "TestSupport"]),
        tests(
            "Session",
            [
                "chroot-distro", "CLI", "CLinux", "Libc", "Mounts", "Namespaces", "Platform", "Session",
                "Store",
                "TestSupport",
            ]),
        .target(
            name: "TestSupport", dependencies: ["Libc", "Platform"], path: "Tests/Support",
            exclude: ["registry_front.py", "attack.c", "loader.c", "oldkernel.c"],
            swiftSettings: settings),
        tests("TestSupport", ["TestSupport"]),
        tests("Architecture", ["TestSupport"]),
        tests("EndToEnd", ["TestSupport", "chroot-distro"]),
    ]
)
