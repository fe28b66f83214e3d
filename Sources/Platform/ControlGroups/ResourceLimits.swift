/// How much of the machine the processes of a control group may use together; `nil` is without limit.
package struct ResourceLimits: Hashable, Sendable, Decodable {
    /// Bytes of memory, not counting what is swapped out.
    package var memory: Int64?
    /// Microseconds of processor time in each period of 100 milliseconds.
    package var processorTime: Int64?
    /// Processes and threads.
    package var processes: Int64?

    package init(memory: Int64? = nil, processorTime: Int64? = nil, processes: Int64? = nil) {
        self.memory = memory
        self.processorTime = processorTime
        self.processes = processes
    }

    /// The length of a period, in microseconds.
    static let period: Int64 = 100_000

    package var isEmpty: Bool { self == ResourceLimits() }

    /// A part of the kernel that limits something.
    package enum Controller: String, CaseIterable {
        case memory, cpu, pids

        /// The option that asks for it.
        var option: String {
            switch self {
            case .memory: "--memory"
            case .cpu: "--cpus"
            case .pids: "--pids"
            }
        }
    }

    /// What is asked of each controller.
    var wanted: [(controller: Controller, value: Int64)] {
        [(.memory, memory), (.cpu, processorTime), (.pids, processes)].compactMap { controller, value in
            value.map { (controller, $0) }
        }
    }
}

extension ResourceLimits: CustomStringConvertible {
    /// As the options that ask for it; the empty string without any.
    package var description: String {
        wanted.map { controller, value in
            let text =
                switch controller {
                case .memory: ByteCount(value).description
                case .cpu: "\(Double(value) / Double(Self.period))"
                case .pids: "\(value)"
                }
            return "\(controller.option) \(text)"
        }.joined(separator: " ")
    }
}
