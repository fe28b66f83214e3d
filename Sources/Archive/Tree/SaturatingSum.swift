extension Int64 {
    /// The sum, or the largest number where it would be larger: two empty files of 8 EiB each are easily made.
    package func saturating(adding other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
