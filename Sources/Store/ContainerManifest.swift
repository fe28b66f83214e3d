import FoundationEssentials
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

    package init(json bytes: [UInt8]) throws {
        let document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        imageReference = document.image_ref.value.flatMap { $0.isEmpty ? nil : $0 }
        architecture = document.arch.value ?? document.image_config.value?.architecture.value
        let config = document.image_config.value?.config.value
        settings = ImageSettings(
            entrypoint: config?.Entrypoint.value?.words, command: config?.Cmd.value?.words,
            environment: config?.Env.value ?? [], user: config?.User.value.flatMap { $0.isEmpty ? nil : $0 },
            workingDirectory: config?.WorkingDir.value.flatMap { $0.isEmpty ? nil : $0 },
            shell: config?.Shell.value, stopSignal: config?.StopSignal.value,
            exposedPorts: config?.ExposedPorts.value?.keys.sorted() ?? [],
            labels: config?.Labels.value ?? [:])
    }

    private struct Document: Decodable {
        var image_ref: Lenient<String> = .absent
        var arch: Lenient<String> = .absent
        var image_config: Lenient<Image> = .absent
    }

    private struct Image: Decodable {
        var architecture: Lenient<String> = .absent
        var config: Lenient<Config> = .absent
    }

    private struct Config: Decodable {
        var Entrypoint: Lenient<Words> = .absent
        var Cmd: Lenient<Words> = .absent
        var Env: Lenient<[String]> = .absent
        var User: Lenient<String> = .absent
        var WorkingDir: Lenient<String> = .absent
        var Shell: Lenient<[String]> = .absent
        var StopSignal: Lenient<String> = .absent
        var ExposedPorts: Lenient<[String: Ignored]> = .absent
        var Labels: Lenient<[String: String]> = .absent
    }

    private struct Ignored: Decodable { init(from decoder: any Decoder) {} }

    /// A list of words, or one string for the shell.
    private struct Words: Decodable {
        let words: [String]
        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let line = try? container.decode(String.self) {
                words = line.isEmpty ? [] : ["/bin/sh", "-c", line]
            } else {
                words = try container.decode([String].self)
            }
        }
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

/// A member that reads as absent when it is missing, null or of another type.
private enum Lenient<Value: Decodable>: Decodable {
    case present(Value)
    case absent

    var value: Value? { if case .present(let value) = self { value } else { nil } }

    init(from decoder: any Decoder) {
        self = (try? Value(from: decoder)).map(Lenient.present) ?? .absent
    }
}

extension KeyedDecodingContainer {
    /// Called by the synthesised initialisers: a missing member is not an error.
    fileprivate func decode<Value>(_: Lenient<Value>.Type, forKey key: Key) -> Lenient<Value> {
        (try? decodeIfPresent(Lenient<Value>.self, forKey: key)) ?? .absent
    }
}
