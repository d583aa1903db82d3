import Datasets
import LinearAlgebra
import Testing

@Suite struct DigitsTests {
    @Test func holdsTheOriginal() {
        let digits = Digits.all
        #expect(digits.count == 1797)
        #expect(digits.featureCount == 64)
        // The first line of the original: 0,0,5,13,9,1,0,0, …, 6,13,10,0,0,0,0.
        let first = (0..<8).map { digits.inputs[0, $0] * 16 }
        #expect(first == [0, 0, 5, 13, 9, 1, 0, 0])
        guard case .classes(let labels, let classCount) = digits.targets else {
            Issue.record("Digits are classes.")
            return
        }
        #expect(classCount == 10)
        #expect(Array(labels.prefix(10)) == Array(0..<10))
        // The counts that scikit-learn's documentation of the set gives.
        #expect(
            (0..<10).map { digit in labels.count { $0 == digit } } == [
                178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
            ])
        // A sum over everything, computed from the original file: it finds any letter that has changed alone.
        digits.inputs.withElements { pixels in
            var sum = 0
            for index in 0..<pixels.count { sum += Int(pixels[index] * 16) }
            #expect(sum == 561718)
        }
    }

    @Test func theSplitIsFixed() {
        let (train, test) = Digits.split
        #expect(train.count == 1437)
        #expect(test.count == 360)
        #expect(test.examples(at: [0, 1]).inputs == Digits.all.examples(at: [0, 5]).inputs)
        #expect(train.examples(at: [0, 4]).inputs == Digits.all.examples(at: [1, 6]).inputs)
    }
}
