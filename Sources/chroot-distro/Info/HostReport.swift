import CLI
import Libc
import Platform
import Store

/// What there is: the program, its host and its containers.
///
/// The document of `info --json` (docs/json.md).
struct HostReport: Encodable {
    struct ProgramFacts: Encodable {
        let version: String
        let path: String?
    }

    struct KernelFacts: Encodable {
        let release: String
        let machine: String
    }

    struct HostFacts: Encodable {
        /// `linux` or `termux`.
        let type: String
        let distribution: String?
        let architecture: String?
        let termuxVersion: String?
    }

    struct Paths: Encodable {
        let data: String
        let cache: String
        let run: String
    }

    let schema = 1
    let program: ProgramFacts
    let kernel: KernelFacts
    let libraries: [HostLibrary]
    let host: HostFacts
    let paths: Paths
    let elevation: [ElevationExamination.Tool]
    let containers: [ListedContainer]

    enum CodingKeys: String, CodingKey {
        case schema, program, kernel, libraries, host, paths, elevation, containers
    }

    init(_ context: borrowing Context) throws {
        let caller = context.caller
        let layout = context.systemLayout
        program = ProgramFacts(
            version: Program.version, path: (try? Elevation.ownPath(caller.environment))?.description)
        kernel = KernelFacts(release: caller.host.kernelRelease, machine: caller.host.machine)
        libraries = HostLibrary.all()
        host = HostFacts(
            type: caller.host.termux == nil ? "linux" : "termux",
            distribution: Self.distribution(
                HostText.text("/etc/os-release") ?? HostText.text("/usr/lib/os-release") ?? ""),
            architecture: caller.host.architecture?.rawValue,
            termuxVersion: caller.host.termux == nil ? nil : caller.environment.nonEmpty("TERMUX_VERSION"))
        paths = Paths(data: layout.data.rawValue, cache: layout.cache.rawValue, run: layout.run.rawValue)
        elevation = ElevationExamination.tools(caller)
        let entries = try PublicIndex.read(layout)?.containers ?? []
        containers = try entries.map { try ListedContainer($0, in: layout) }
    }

    /// The name for people from a text of os-release(5).
    static func distribution(_ osRelease: String) -> String? {
        let prefix = "PRETTY_NAME="
        guard let line = osRelease.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }) else {
            return nil
        }
        return Quoted(String(line.dropFirst(prefix.count).filter { $0 != "\"" && $0 != "'" })).description
    }

    /// The same for people.
    func text(style: Style) -> String {
        var text = section(
            "Program", [("Version", program.version), ("Path", program.path ?? "unknown")], style)
        text += section(
            "Host",
            [
                ("Type", host.type == "termux" ? "Termux \(host.termuxVersion ?? "")" : "Linux"),
                ("Distribution", host.distribution ?? "unknown"),
                ("Kernel", Quoted(kernel.release).description),
                ("Architecture", host.architecture ?? "unknown (\(Quoted(kernel.machine)))"),
            ], style)
        text += section(
            "Libraries", libraries.map { ($0.name, $0.file == nil ? "not installed" : $0.version ?? "yes") },
            style)
        text += section(
            "Places",
            [("Containers", paths.data), ("Images", paths.cache), ("Sessions", paths.run)].map {
                ($0.0, Quoted($0.1).description)
            }, style)
        text += section(
            "Becoming root",
            elevation.isEmpty ? [("none", "-")] : elevation.map { ($0.name, Quoted($0.path).description) },
            style)
        let total = ByteCount(
            containers.reduce(Int64(0)) { $0.addingReportingOverflow($1.size).partialValue })
        return text
            + section(
                "Containers",
                containers.map { item in
                    let source = item.image.map { " · \(Quoted($0))" } ?? ""
                    let state = item.running ? " · running" : ""
                    return (item.name, "\(ByteCount(item.size))\(source)\(state)")
                } + [("Total", "\(containers.count), \(total)")], style)
    }

    private func section(_ title: String, _ rows: [(String, String)], _ style: Style) -> String {
        let width = rows.map { DisplayWidth.of($0.0) }.max() ?? 0
        let lines = rows.map { "  \(DisplayWidth.pad($0.0, to: width))  \($0.1)\n" }
        return style.paint(title, .heading) + "\n" + lines.joined() + "\n"
    }
}
