import Testing

@testable import Platform

@Suite("ELF") struct ELFTests {
    private func header(machine: UInt16, bits: UInt8, bigEndian: Bool = false) -> [UInt8] {
        let (low, high) = (UInt8(machine & 0xff), UInt8(machine >> 8))
        return [0x7f, 0x45, 0x4c, 0x46, bits, bigEndian ? 2 : 1, 1] + [UInt8](repeating: 0, count: 11)
            + (bigEndian ? [high, low] : [low, high])
    }

    @Test(
        "the machine field names the architecture",
        arguments: [
            (3, 1, Architecture.i686), (40, 1, .arm), (62, 2, .x86_64), (183, 2, .aarch64),
            (243, 2, .riscv64),
            (62, 1, nil), (8, 1, nil),
        ] as [(UInt16, UInt8, Architecture?)])
    func machines(machine: UInt16, bits: UInt8, expected: Architecture?) {
        #expect(ELF.architecture(header: header(machine: machine, bits: bits)) == expected)
        #expect(ELF.architecture(header: header(machine: machine, bits: bits, bigEndian: true)) == expected)
    }

    @Test("what is no ELF file has none")
    func strangers() {
        #expect(ELF.architecture(header: Array("#!/bin/sh".utf8)) == nil)
        #expect(ELF.architecture(header: []) == nil)
        #expect(ELF.architecture(header: header(machine: 62, bits: 2).dropLast()) == nil)
        var odd = header(machine: 62, bits: 2)
        odd[5] = 7
        #expect(ELF.architecture(header: odd) == nil)
    }
}
