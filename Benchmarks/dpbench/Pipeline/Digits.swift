import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The 1,797 handwritten digits of the UCI repository's optical recognition data set (Alpaydin and Kaynak, 1998,
/// CC BY 4.0), as scikit-learn ships them: 8 × 8 counts from 0 to 16, and the digit.
struct Digits {
    let pixels: [[Float]]
    let labels: [Int]

    static let classes = 10
    static let features = 64

    /// Reads the copy that ships with the package.
    init() throws {
        guard let url = Bundle.module.url(forResource: "digits", withExtension: "csv") else {
            throw CocoaError(.fileNoSuchFile)
        }
        let rows = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",").compactMap { Float($0) }
        }
        pixels = rows.map { $0.dropLast().map { $0 / 16 } }
        labels = rows.map { Int($0[Self.features]) }
    }

    /// The per-example gradients of a softmax regression at its start, all weights zero: one row of 650 per digit.
    func softmaxGradients() throws -> (gradients: Matrix, layout: TreeLayout) {
        let layout = try TreeLayout([("bias", [Self.classes]), ("kernel", [Self.classes, Self.features])])
        var gradients = Matrix(rows: pixels.count, columns: layout.count)
        for (example, (pixels, label)) in zip(pixels, labels).enumerated() {
            gradients.withMutableRow(example) { row in
                for digit in 0..<Self.classes {
                    // At zero weights every digit has probability 1/10.
                    let error: Float = 0.1 - (digit == label ? 1 : 0)
                    row[digit] = error
                    for feature in 0..<Self.features {
                        row[Self.classes + digit * Self.features + feature] = error * pixels[feature]
                    }
                }
            }
        }
        return (gradients, layout)
    }
}
