extension Unicode.Scalar {
    /// Whether a terminal would obey it, or show by it other text than there is: controls of C0 and C1, and what is
    /// invisible or changes the direction of the text around it.
    package var misleadsTerminals: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        default: false
        }
    }
}
