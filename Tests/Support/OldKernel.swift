import Libc
import Platform

/// Runs programs as an older or a narrower kernel would, by a filter of system calls: see `oldkernel.c`.
package struct OldKernel {
    private let tool: HostPath
    private let lacks: [String]

    /// `lacks` are words of the tool, such as `4.14` or `userns`; it is made in `directory`.
    package init(lacking lacks: [String], in directory: HostPath) throws {
        tool = directory / "oldkernel"
        self.lacks = lacks
        let source = HostPath(#filePath).parent / "oldkernel.c"
        if access(tool.rawValue, F_OK) != 0 {
            try Run.succeeding("cc", ["-static", "-O1", "-o", tool.rawValue, source.rawValue])
        }
    }

    /// The words that run a program on that kernel.
    package func command(_ program: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        (tool.rawValue, lacks + ["--", program] + arguments)
    }

    /// Runs the program under test to its end.
    package func run(
        _ arguments: [String], environment: [String: String], timeout: Double = 60
    ) throws -> Run.Outcome {
        let words = command(BuiltBinary.path, arguments)
        return try Run.program(words.program, words.arguments, environment: environment, timeout: timeout)
    }
}
