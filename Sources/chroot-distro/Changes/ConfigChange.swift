import CLI
import FoundationEssentials
import OCI
import Platform

/// One instruction about how an image is run, as a Dockerfile has it: `CMD ["sh"]`, `ENV A=1 B=2`.
enum ConfigChange: Equatable {
    case command([String])
    case entrypoint([String])
    case environment([String])
    case labels([String])
    case ports([String])
    case volumes([String])
    case user(String)
    case workingDirectory(String)
    case stopSignal(String)

    static let words = [
        "CMD", "ENTRYPOINT", "ENV", "LABEL", "EXPOSE", "VOLUME", "USER", "WORKDIR", "STOPSIGNAL",
    ]

    init(_ text: String) throws(UsageError) {
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        let rest = parts.count > 1 ? String(parts[1]) : ""
        let word = parts.first?.uppercased() ?? ""
        guard Self.words.contains(word) else {
            throw UsageError(
                "--change \(Quoted(text)) is not an instruction",
                hint: "It begins with one of \(Self.words.joined(separator: ", ")).")
        }
        guard !rest.isEmpty else { throw UsageError("--change \(Quoted(text)) says nothing") }
        switch word {
        case "CMD": self = .command(Self.list(rest) ?? ["/bin/sh", "-c", rest])
        case "ENTRYPOINT": self = .entrypoint(Self.list(rest) ?? ["/bin/sh", "-c", rest])
        case "ENV": self = .environment(try Self.pairs(rest, text))
        case "LABEL": self = .labels(try Self.pairs(rest, text))
        case "EXPOSE": self = .ports(try Self.split(rest, text).map { $0.contains("/") ? $0 : $0 + "/tcp" })
        case "VOLUME":
            if let paths = Self.list(rest) {
                self = .volumes(paths)
            } else {
                self = .volumes(try Self.split(rest, text))
            }
        case "USER": self = .user(rest)
        case "WORKDIR": self = .workingDirectory(rest)
        default: self = .stopSignal(rest)
        }
    }

    /// A JSON array of texts; `nil` for anything else.
    private static func list(_ text: String) -> [String]? {
        text.hasPrefix("[") ? try? JSONDecoder().decode([String].self, from: Data(text.utf8)) : nil
    }

    private static func split(_ text: String, _ whole: String) throws(UsageError) -> [String] {
        do { return try ShellWords.split(text) } catch {
            throw UsageError("--change \(Quoted(whole)) ends inside \(error.delimiter)")
        }
    }

    /// `K=V K2="V 2"`, or the old `K V`.
    private static func pairs(_ text: String, _ whole: String) throws(UsageError) -> [String] {
        let words = try split(text, whole)
        if words.allSatisfy({ $0.contains("=") && !$0.hasPrefix("=") }) { return words }
        let parts = text.split(maxSplits: 1, whereSeparator: \.isWhitespace)
        guard parts.count == 2, !parts[0].contains("=") else {
            throw UsageError("--change \(Quoted(whole)) is to be NAME=VALUE")
        }
        return ["\(parts[0])=\(parts[1])"]
    }

    func apply(to config: inout ContainerConfig) {
        switch self {
        case .command(let words): config.command = words
        case .entrypoint(let words): config.entrypoint = words
        case .environment(let pairs): config.environment = Self.replace(pairs, in: config.environment ?? [])
        case .labels(let pairs):
            for pair in pairs {
                config.labels = (config.labels ?? [:]).merging([Self.name(pair): Self.value(pair)]) { $1 }
            }
        case .ports(let ports): config.exposedPorts = Array(Set((config.exposedPorts ?? []) + ports)).sorted()
        case .volumes(let paths): config.volumes = Array(Set((config.volumes ?? []) + paths)).sorted()
        case .user(let user): config.user = user
        case .workingDirectory(let path): config.workingDirectory = path
        case .stopSignal(let signal): config.stopSignal = signal
        }
    }

    private static func name(_ pair: String) -> String { String(pair.prefix { $0 != "=" }) }
    private static func value(_ pair: String) -> String { String(pair.dropFirst(name(pair).count + 1)) }

    /// Each variable once, the later value in the place of the earlier one.
    private static func replace(_ pairs: [String], in old: [String]) -> [String] {
        var result = old
        for pair in pairs {
            if let place = result.firstIndex(where: { name($0) == name(pair) }) {
                result[place] = pair
            } else {
                result.append(pair)
            }
        }
        return result
    }
}
