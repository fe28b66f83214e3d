import CLI
import OCI
import Platform

extension Flag {
    /// `-a`: which platform is meant.
    static func architecture(_ help: String) -> Flag {
        Flag(
            "architecture", short: "a", value: "ARCH",
            help: "\(help): aarch64, arm, i686, riscv64, x86_64 or linux/arm64, ...")
    }

    static let allowInsecure = Flag(
        "allow-insecure", help: "Accept plain HTTP and any certificate from the registry")

    static let quietImages = Flag("quiet", short: "q", help: "Print nothing but errors")

    static let json = Flag("json", help: "Print a JSON document")
}

extension ParsedArguments {
    /// The value of `--architecture`.
    func platform() throws(UsageError) -> ImagePlatform? {
        guard let text = try text("architecture") else { return nil }
        do { return try ImagePlatform(text) } catch {
            throw invalid("architecture", error.message, hint: error.hint)
        }
    }

    /// An operand as the name of an image.
    func reference(_ operand: String) throws(UsageError) -> Reference {
        try Self.reference(self.operand(operand), spec.name)
    }

    static func reference(_ text: String, _ command: String) throws(UsageError) -> Reference {
        do { return try Reference(text) } catch {
            throw UsageError("\(command): \(error.message)", hint: error.hint, command: command)
        }
    }
}
