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

    /// Bytes that it may have: two documents of an image, of up to 16 MiB each, and a few words.
    package static let sizeLimit = 33 << 20

    package init(json bytes: [UInt8]) throws {
        let document = try JSONDecoder().decode(Document.self, from: Data(bytes))
        imageReference = document.reference.flatMap { $0.isEmpty ? nil : $0 }
        architecture = document.architecture ?? document.image?.architecture
        settings = document.image?.settings ?? ImageSettings()
    }

    private struct Document: Decodable {
        let reference: String?
        let architecture: String?
        let image: Image?

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Member.self)
            reference = members.lenient(.image_ref)
            architecture = members.lenient(.arch)
            image = members.lenient(.image_config)
        }
    }

    private struct Image: Decodable {
        let architecture: String?
        let settings: ImageSettings?

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Member.self)
            architecture = members.lenient(.architecture)
            let config: Config? = members.lenient(.config)
            settings = config?.settings
        }
    }

    private struct Config: Decodable {
        var settings = ImageSettings()

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Member.self)
            settings.entrypoint = members.words(.Entrypoint)
            settings.command = members.words(.Cmd)
            settings.environment = members.lenient(.Env) ?? []
            settings.user = members.lenient(.User).flatMap { (user: String) in user.isEmpty ? nil : user }
            settings.workingDirectory = members.lenient(.WorkingDir).flatMap { (path: String) in
                path.isEmpty ? nil : path
            }
            settings.shell = members.lenient(.Shell)
            settings.stopSignal = members.lenient(.StopSignal)
            let ports: [String: Ignored]? = members.lenient(.ExposedPorts)
            settings.exposedPorts = ports?.keys.sorted() ?? []
            settings.labels = members.lenient(.Labels) ?? [:]
        }
    }

    private struct Ignored: Decodable { init(from decoder: any Decoder) {} }

    /// The members of all objects of interest; one type for them, since each would cost every login its set-up.
    fileprivate enum Member: String, CodingKey {
        case image_ref, arch, image_config
        case architecture, config
        case Entrypoint, Cmd, Env, User, WorkingDir, Shell, StopSignal, ExposedPorts, Labels
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

extension KeyedDecodingContainer<ContainerManifest.Member> {
    /// A member that reads as absent when it is missing, null or of another type.
    fileprivate func lenient<Value: Decodable>(_ member: Key) -> Value? {
        (try? decodeIfPresent(Value.self, forKey: member)) ?? nil
    }

    /// A list of words, or one string for the shell.
    fileprivate func words(_ member: Key) -> [String]? {
        guard let line: String = lenient(member) else { return lenient(member) }
        return line.isEmpty ? [] : ["/bin/sh", "-c", line]
    }
}
