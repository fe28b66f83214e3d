import CLinux

/// Descriptors that this process has open, whoever opened them.
package enum OpenDescriptors {
    /// Closes all but the standard three and those named.
    package static func close(except kept: [Int32]) {
        var next: UInt32 = 3
        for descriptor in kept.sorted() where descriptor >= 3 {
            let number = UInt32(descriptor)
            if number > next { _ = cd_close_range(next, number - 1) }
            next = max(next, number + 1)
        }
        _ = cd_close_range(next, .max)
    }
}
