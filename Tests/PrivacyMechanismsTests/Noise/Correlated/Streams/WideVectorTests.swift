import Foundation
import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import PrivacyMechanisms

struct WideVectorTests {
    @Test func everyBitComesBack() throws {
        var generator = SeededGenerator(seed: 1)
        var numbers: [Double] = [0, -0, 1, -1, 0x1p47 + 1, 1 - 0x1p48, 0x1p-70, .pi, 0x1.fffffffffffffp47]
        for _ in 0..<500 {
            let significand = Double.random(in: -2...2, using: &generator)
            let exponent = Int.random(in: -17...46, using: &generator)
            numbers.append(Double(sign: .plus, exponent: exponent, significand: significand))
        }
        let values = AlignedStorage<Double>(zeros: numbers.count)
        for (index, number) in numbers.enumerated() { values.base[index] = number }
        let layout = try TreeLayout([("x", [numbers.count])])
        let file = try JSONEncoder().encode(WideVector(values, layout: layout))
        let back = try JSONDecoder().decode(WideVector.self, from: file)
        #expect(back.layout == layout)
        let found = back.values
        withExtendedLifetime(found) { #expect(Array(found.buffer) == numbers) }
    }

    @Test func otherPartsAreRefused() throws {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(WideVector.self, from: Data("[]".utf8)) }
    }
}
