import Foundation
import LinearAlgebra
import Testing

@testable import Datasets

@Suite struct ImageAugmentationTests {
    /// Two images of 3 × 4 pixels with 2 channels, all of whose numbers differ.
    private static func examples(_ key: UInt64, order: [Int] = [0, 1]) -> Examples {
        let rows = (0..<2).map { (example: Int) -> [Float] in
            (0..<24).map { (place: Int) in Float(example * 24 + place + 1) }
        }
        var examples = Examples(
            inputs: Matrix(rows: order.count, columns: 24, elements: order.flatMap { rows[$0] }),
            targets: .classes(order, classCount: 2), lengths: order.map { $0 + 1 })
        examples.drawKey = key
        return examples
    }

    @Test func copiesAreShiftedAndMirroredImages() throws {
        let augmentation = try ImageAugmentation(count: 40, height: 3, width: 4, channels: 2, shift: 1, flip: true)
        let original = Self.examples(0)
        // Every one of the 3 × 3 × 2 images, from the definition.
        var expected: Set<[Float]> = []
        for down in -1...1 {
            for right in -1...1 {
                for isMirrored in [false, true] {
                    expected.insert(
                        (0..<24).map { index in
                            let (row, column, channel) = (index / 8 - down, index / 2 % 4 - right, index % 2)
                            guard 0..<3 ~= row, 0..<4 ~= column else { return 0 }
                            return original.inputs[0, (row * 4 + (isMirrored ? 3 - column : column)) * 2 + channel]
                        })
                }
            }
        }
        #expect(expected.count == 18)
        var found: Set<[Float]> = []
        for key in 0..<20 as Range<UInt64> {
            let copies = Self.examples(key).augmented(by: augmentation)
            #expect(copies.count == 80 && copies.targets[39] == .class(0) && copies.targets[40] == .class(1))
            #expect(copies.lengths?[39] == 1 && copies.lengths?[40] == 2)
            for row in 0..<40 { found.insert(copies.inputs.withRow(row) { row in row.indices.map { row[$0] } }) }
        }
        // 800 draws of 18 images: one of them is missed with a chance of 18·(17/18)⁸⁰⁰, below 10⁻¹⁸.
        #expect(found == expected)
    }

    @Test func whatIsDrawnDependsOnTheExampleAndTheStepAlone() throws {
        let augmentation = try ImageAugmentation(count: 8, height: 3, width: 4, channels: 2, shift: 2)
        func rows(_ examples: Examples, _ place: Int) -> [Float] {
            let copies = examples.augmented(by: augmentation)
            return copies.inputs.withRows(place * 8..<place * 8 + 8) { rows in rows.indices.map { rows[$0] } }
        }
        #expect(rows(Self.examples(5), 1) == rows(Self.examples(5, order: [1]), 0))
        #expect(rows(Self.examples(5), 1) == rows(Self.examples(5, order: [1, 0, 1]), 2))
        #expect(rows(Self.examples(5), 1) != rows(Self.examples(6), 1))
    }

    @Test func keysDependOnEveryPartOfAnExample() {
        let base = Self.examples(1).keys
        var changed = Self.examples(1).inputs
        changed[0, 23] = 0.5
        let other = Examples(inputs: changed, targets: .classes([0, 1], classCount: 2), lengths: [1, 2])
        #expect(other.keys[0] != base[0])
        var same = other
        same.drawKey = 1
        #expect(same.keys[1] == base[1] && same.keys[0] != base[0])
        for changed in [
            Examples(inputs: Self.examples(1).inputs, targets: .classes([1, 1], classCount: 2), lengths: [1, 2]),
            Examples(inputs: Self.examples(1).inputs, targets: .classes([0, 1], classCount: 2), lengths: [2, 2]),
        ] {
            var changed = changed
            changed.drawKey = 1
            #expect(changed.keys[0] != base[0] && changed.keys[1] == base[1])
        }
    }

    @Test(arguments: [
        (0, 3, 4, 1, "The count of an augmentation is 0"), (1, 0, 4, 0, "The height of an augmentation is 0"),
        (1, 3, 4, 3, "The shift of an augmentation is 3"), (1, 3, 4, -1, "The shift of an augmentation is -1"),
    ])
    func whatIsOutOfRangeIsNamed(count: Int, height: Int, width: Int, shift: Int, text: String) {
        let error = #expect(throws: DatasetError.self) {
            try ImageAugmentation(count: count, height: height, width: width, shift: shift)
        }
        #expect(error?.description.contains(text) ?? false)
        let json = #"{"count": \#(count), "height": \#(height), "width": \#(width), "shift": \#(shift)}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ImageAugmentation.self, from: Data(json.utf8)) }
    }

    @Test func anotherShapeIsNamed() throws {
        let augmentation = try ImageAugmentation(count: 1, height: 3, width: 4, shift: 1)
        #expect(throws: DatasetError.self) { try augmentation.check(featureCount: 13) }
        try augmentation.check(featureCount: 12)
    }
}
