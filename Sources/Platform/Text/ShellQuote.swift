extension RawString {
    /// One word of a shell command that means exactly these bytes to sh, bash, zsh, dash, mksh and fish.
    package var shellQuoted: RawString {
        let quote = UInt8(ascii: "'")
        var result = [quote]
        for byte in bytes {
            // Backslash and quote stand outside of the quotes: in fish they have a meaning inside.
            switch byte {
            case quote, UInt8(ascii: "\\"): result += [quote, UInt8(ascii: "\\"), byte, quote]
            default: result.append(byte)
            }
        }
        result.append(quote)
        return RawString(bytes: result) ?? "''"
    }
}
