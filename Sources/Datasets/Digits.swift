import LinearAlgebra
import Requirements

/// The 1,797 handwritten digits that ship with the package: 8 × 8 pixels, and the digit.
///
/// They are the test part of the UCI repository's "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak,
/// 1998, doi:10.24432/C50P49, CC BY 4.0), in scikit-learn's order. Pixels count from 0 to 16 in the original, and are
/// scaled to [0, 1] by the constant 16 here.
public enum Digits {
    /// The number of classes.
    public static let classCount = 10
    /// The number of rows, and of columns, of an image.
    public static let side = 8
    /// The number of digits.
    public static let count = 1797

    /// All digits, in their order.
    public static var all: InMemoryDataset {
        let (features, line) = (side * side, side * side + 2)
        require(encoded.utf8CodeUnitCount == count * line - 1, "The digits' text has been damaged.")
        let text = UnsafeBufferPointer(start: encoded.utf8Start, count: encoded.utf8CodeUnitCount)
        var pixels = Matrix(rows: count, columns: features)
        pixels.withUnsafeMutableElements { pixels in
            for digit in 0..<count {
                for feature in 0..<features {
                    pixels[digit * features + feature] = Float(text[digit * line + feature] - UInt8(ascii: "a")) / 16
                }
            }
        }
        let labels = (0..<count).map { Int(text[$0 * line + features] - UInt8(ascii: "0")) }
        return InMemoryDataset(inputs: pixels, targets: .classes(labels, classCount: classCount))
    }

    /// The fixed public split: every fifth digit, the first to begin with, is for testing (360), the others are for
    /// training (1,437).
    public static var split: (train: InMemoryDataset, test: InMemoryDataset) {
        let (train, test) = all.split(every: 5)
        return (train, test)
    }
}
