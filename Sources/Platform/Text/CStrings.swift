import Libc

/// C strings and the array of them, with NULL at its end, that execve(2) wants; freed with this value.
package struct CStrings: ~Copyable {
    package let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// Without the NULL.
    package let count: Int

    package init(_ strings: [RawString]) {
        count = strings.count
        pointer = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.bytes.count + 1)
            for (place, byte) in string.bytes.enumerated() { copy[place] = CChar(bitPattern: byte) }
            copy[string.bytes.count] = 0
            (pointer + index).initialize(to: copy)
        }
        (pointer + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { pointer[index]?.deallocate() }
        pointer.deallocate()
    }
}
