/// The words of the command line.
package enum CommandLineWords {
    /// What stands behind the program's name, byte for byte.
    package static func arguments() -> [RawString] {
        let words = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return words.dropFirst().compactMap { $0.map { RawString(cString: $0) } }
    }
}
