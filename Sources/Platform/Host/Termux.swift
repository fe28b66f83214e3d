/// The places that Termux gives its programs.
package struct Termux: Hashable, Sendable {
    /// The Android package, such as `com.termux`.
    package let package: String
    /// What `/usr` is elsewhere.
    package let prefix: HostPath
    package let home: HostPath

    package init(package: String, prefix: HostPath, home: HostPath) {
        self.package = package
        self.prefix = prefix
        self.home = home
    }
}
