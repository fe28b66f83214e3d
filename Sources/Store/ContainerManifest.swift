import Platform

/// `manifest.json` of a container, as the Python chroot-distro writes it too.
///
/// Its members are `image_ref`, `arch`, `manifest` and `image_config`; only what a session needs is taken out. A
/// member of the wrong type reads as absent: an image's mistake must not make its files unreachable.
package struct ContainerManifest: Sendable, Equatable {
    /// As it was typed at the installation; `nil` for a local archive.
    package var imageReference: String?
    package var architecture: String?
    package var settings = ImageSettings()

    package init() {}

    /// Bytes that it may have: two documents of an image, of up to 16 MiB each, and a few words.
    package static let sizeLimit = 33 << 20

    package init(json bytes: [UInt8]) throws {
        let document = try JSONParser.parse(bytes)
        guard document.members != nil else { throw JSONParser.Malformed(offset: 0) }
        let image = document["image_config"]
        imageReference = document["image_ref"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        architecture = document["arch"]?.string ?? image?["architecture"]?.string
        settings = image?["config"].map { ImageSettings($0) } ?? ImageSettings()
    }
}

/// What an image says of the process that runs from it (the image specification, "config").
package struct ImageSettings: Sendable, Equatable {
    package var entrypoint: [String]?
    package var command: [String]?
    /// `NAME=value` each.
    package var environment: [String] = []
    package var user: String?
    package var workingDirectory: String?
    package var shell: [String]?
    package var stopSignal: String?
    /// Such as `80/tcp`, sorted.
    package var exposedPorts: [String] = []
    package var labels: [String: String] = [:]
}

extension ImageSettings {
    /// The `config` of an image's configuration.
    fileprivate init(_ config: JSONValue) {
        entrypoint = Self.words(config["Entrypoint"])
        command = Self.words(config["Cmd"])
        environment = config["Env"]?.strings ?? []
        user = config["User"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        workingDirectory = config["WorkingDir"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        shell = config["Shell"]?.strings
        stopSignal = config["StopSignal"]?.string
        exposedPorts = config["ExposedPorts"]?.members?.map(\.name).sorted() ?? []
        for label in config["Labels"]?.members ?? [] { labels[label.name] = label.value.string }
    }

    /// A list of words, or one string for the shell.
    private static func words(_ value: JSONValue?) -> [String]? {
        guard let line = value?.string else { return value?.strings }
        return line.isEmpty ? [] : ["/bin/sh", "-c", line]
    }
}
