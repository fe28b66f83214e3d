/// How a container of an image is started.
///
/// The fields are those of config.md, "Properties", and Docker's own: health check, shell and what a build on top is
/// to do first. `nil` is what the image does not say.
package struct ContainerConfig: Hashable, Sendable {
    package var user: String?
    package var environment: [String]?
    package var entrypoint: [String]?
    package var command: [String]?
    package var workingDirectory: String?
    package var labels: [String: String]?
    package var volumes: [String]?
    package var exposedPorts: [String]?
    package var stopSignal: String?
    package var shell: [String]?
    package var onBuild: [String]?
    package var healthcheck: Healthcheck?

    package init() {}

    /// Docker's HEALTHCHECK; times in nanoseconds.
    package struct Healthcheck: Codable, Hashable, Sendable {
        package var test: [String]?
        package var interval: Int64?
        package var timeout: Int64?
        package var startPeriod: Int64?
        package var startInterval: Int64?
        package var retries: Int?

        private enum CodingKeys: String, CodingKey {
            case test = "Test"
            case interval = "Interval"
            case timeout = "Timeout"
            case startPeriod = "StartPeriod"
            case startInterval = "StartInterval"
            case retries = "Retries"
        }

        package init() {}
    }
}

extension ContainerConfig: Codable {
    private enum Key: String, CodingKey {
        case user = "User"
        case environment = "Env"
        case entrypoint = "Entrypoint"
        case command = "Cmd"
        case workingDirectory = "WorkingDir"
        case labels = "Labels"
        case volumes = "Volumes"
        case exposedPorts = "ExposedPorts"
        case stopSignal = "StopSignal"
        case shell = "Shell"
        case onBuild = "OnBuild"
        case healthcheck = "Healthcheck"
    }

    /// The `{}` that the format puts behind each member of a set.
    private struct Nothing: Codable {
        init() {}
        init(from decoder: any Decoder) {}
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        func words(_ key: Key) throws -> [String]? {
            // Old images have a text where the format wants a list.
            if let word = try? values.decodeIfPresent(String.self, forKey: key) { return [word] }
            return try values.decodeIfPresent([String].self, forKey: key)
        }
        func set(_ key: Key) throws -> [String]? {
            try values.decodeIfPresent([String: Nothing?].self, forKey: key)?.keys.sorted()
        }
        user = try values.decodeIfPresent(String.self, forKey: .user)
        environment = try values.decodeIfPresent([String].self, forKey: .environment)
        entrypoint = try words(.entrypoint)
        command = try words(.command)
        workingDirectory = try values.decodeIfPresent(String.self, forKey: .workingDirectory)
        labels = try values.decodeIfPresent([String: String?].self, forKey: .labels)?.mapValues { $0 ?? "" }
        volumes = try set(.volumes)
        exposedPorts = try set(.exposedPorts)
        stopSignal = try values.decodeIfPresent(String.self, forKey: .stopSignal)
        shell = try words(.shell)
        onBuild = try words(.onBuild)
        healthcheck = try values.decodeIfPresent(Healthcheck.self, forKey: .healthcheck)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        func encodeSet(_ names: [String]?, _ key: Key) throws {
            guard let names else { return }
            try values.encode(Dictionary(names.map { ($0, Nothing()) }) { first, _ in first }, forKey: key)
        }
        try values.encodeIfPresent(user, forKey: .user)
        try values.encodeIfPresent(environment, forKey: .environment)
        try values.encodeIfPresent(entrypoint, forKey: .entrypoint)
        try values.encodeIfPresent(command, forKey: .command)
        try values.encodeIfPresent(workingDirectory, forKey: .workingDirectory)
        try values.encodeIfPresent(labels, forKey: .labels)
        try encodeSet(volumes, .volumes)
        try encodeSet(exposedPorts, .exposedPorts)
        try values.encodeIfPresent(stopSignal, forKey: .stopSignal)
        try values.encodeIfPresent(shell, forKey: .shell)
        try values.encodeIfPresent(onBuild, forKey: .onBuild)
        try values.encodeIfPresent(healthcheck, forKey: .healthcheck)
    }
}
