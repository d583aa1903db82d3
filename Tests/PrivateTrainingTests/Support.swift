import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import PyTrees
@_exported import _TestSupport

/// Two classes in the plane, around (1, 1) and (−1, −1): easy to learn, and easy to miss with a wrong sign.
func twoClouds(_ count: Int, seed: UInt64) throws -> ListedDataset {
    var noise = GaussianNoise(nonPrivateSeed: seed)
    var normals = [Float](repeating: 0, count: 2 * count)
    var span = normals.mutableSpan
    noise.fill(&span)
    let classes = (0..<count).map { $0 % 2 }
    let inputs = (0..<2 * count).map { 0.5 * normals[$0] + (classes[$0 / 2] == 1 ? 1 : -1) }
    return ListedDataset(inputs: Matrix(rows: count, columns: 2, elements: inputs), classes: classes, classCount: 2)
}

/// A data set that counts nothing and hides nothing: the simplest one that can be.
struct ListedDataset: Dataset {
    let inputs: Matrix
    let classes: [Int]
    let classCount: Int

    var count: Int { inputs.rows }
    var featureCount: Int { inputs.columns }

    func examples(at indices: [Int]) throws -> Examples {
        var rows = Matrix(rows: indices.count, columns: featureCount)
        for (row, index) in indices.enumerated() {
            for column in 0..<featureCount { rows[row, column] = inputs[index, column] }
        }
        return Examples(inputs: rows, targets: .classes(indices.map { classes[$0] }, classCount: classCount))
    }
}
