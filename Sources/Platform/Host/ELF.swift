/// What the first bytes of an ELF file say (elf(5)).
package enum ELF {
    /// How much of a file `architecture` wants to see.
    package static let headerLength = 20

    /// The machine that a program is for; `nil` for what is not ELF, is cut short or is of another machine.
    package static func architecture(header: some Collection<UInt8>) -> Architecture? {
        let bytes = Array(header.prefix(headerLength))
        guard bytes.count == headerLength, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        let machine: UInt16
        switch bytes[5] {  // EI_DATA
        case 1: machine = UInt16(bytes[18]) | UInt16(bytes[19]) << 8
        case 2: machine = UInt16(bytes[19]) | UInt16(bytes[18]) << 8
        default: return nil
        }
        switch (machine, bytes[4]) {  // e_machine, EI_CLASS
        case (3, 1): return .i686
        case (40, 1): return .arm
        case (62, 2): return .x86_64
        case (183, 2): return .aarch64
        case (243, 2): return .riscv64
        default: return nil
        }
    }
}
