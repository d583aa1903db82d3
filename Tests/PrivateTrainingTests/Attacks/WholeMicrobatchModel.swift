import LinearAlgebra
import PrivacyMechanisms
import PyTrees

@testable import Differentiation
@testable import Networks
@testable import PrivateTraining

/// The broken twin of a ``Network``: it multiplies whole microbatches, and the order of its sums hangs on the number of
/// their rows, as it does where a library leaves the choice of a kernel to BLAS.
///
/// Its first layer sees one patch (a dense layer with ReLU) or several (a convolution under a maximum over all places);
/// a dense layer with softmax follows. Without patches there is only the latter.
struct WholeMicrobatchModel: TrainableModel {
    let network: Network
    /// The features that each patch consists of.
    let patches: [[Int]]

    var layout: TreeLayout { network.layout }
    var featureCount: Int { network.featureCount }
    var outputCount: Int { network.outputCount }

    func initialParameters(seed: UInt64) -> ParameterVector { network.initialParameters(seed: seed) }
    func makeWorkspace() -> FunctionWorkspace { network.makeWorkspace() }

    func outputs(
        for inputs: Matrix, lengths: [Int]?, at parameters: ParameterVector, workspace: inout FunctionWorkspace
    ) -> Matrix {
        network.outputs(for: inputs, lengths: lengths, at: parameters, workspace: &workspace)
    }
    func outputsAndLosses(
        of examples: Examples, at parameters: ParameterVector, workspace: inout FunctionWorkspace
    ) -> (outputs: Matrix, losses: [Float]) {
        network.outputsAndLosses(of: examples, at: parameters, workspace: &workspace)
    }
    func predictions(from outputs: Matrix) -> Targets { network.predictions(from: outputs) }
    func check(_ examples: Examples) throws(ModelError) { try network.check(examples) }

    func gradients(
        of examples: Examples, at parameters: ParameterVector, workspace: inout FunctionWorkspace
    ) -> DenseRows {
        var rows = Matrix(rows: examples.count, columns: layout.count)
        for example in 0..<examples.count {
            guard case .class(let target) = examples.targets[example] else { preconditionFailure("No classes.") }
            let gradient = gradient(
                examples.inputs.row(example), target, parameters.values, isReversed: examples.count % 2 == 1)
            for (column, value) in gradient.enumerated() where value != 0 { rows[example, column] = value }
        }
        do { return try DenseRows(rows, layout: layout) } catch { preconditionFailure("\(error)") }
    }

    /// x·K of one row, each column's sum from one end or from the other.
    private func product(
        _ x: [Float], _ kernel: TreeLayout.Leaf, _ values: [Float], isReversed: Bool
    ) -> [Float] {
        let columns = kernel.shape[1]
        var sums = [Float](repeating: 0, count: columns)
        for place in x.indices {
            let k = isReversed ? x.count - 1 - place : place
            if x[k] == 0 { continue }
            let row = kernel.range.lowerBound + k * columns
            for column in 0..<columns { sums[column] += x[k] * values[row + column] }
        }
        return sums
    }

    private func gradient(_ input: [Float], _ target: Int, _ values: [Float], isReversed: Bool) -> [Float] {
        var gradient = [Float](repeating: 0, count: layout.count)
        let head = patches.isEmpty ? 0 : 2
        let (kernel, bias) = (layout.leaves[head], layout.leaves[head + 1])
        var hidden = input
        var winners: [Int] = []
        if !patches.isEmpty {
            let places = patches.map { patch in
                product(patch.map { input[$0] }, layout.leaves[0], values, isReversed: isReversed)
            }
            winners = (0..<places[0].count).map { channel in
                places.indices.reduce(0) { places[$1][channel] > places[$0][channel] ? $1 : $0 }
            }
            hidden = winners.enumerated().map { channel, place in
                patches.count == 1 ? max(0, places[0][channel]) : places[place][channel]
            }
        }
        var scores = product(hidden, kernel, values, isReversed: isReversed)
        for column in scores.indices { scores[column] += values[bias.range.lowerBound + column] }
        let outputGradients = softmaxErrors(scores, target)
        for (column, error) in outputGradients.enumerated() { gradient[bias.range.lowerBound + column] = error }
        for (unit, value) in hidden.enumerated() {
            for (column, error) in outputGradients.enumerated() {
                gradient[kernel.range.lowerBound + unit * outputGradients.count + column] = value * error
            }
        }
        let first = layout.leaves[0]
        for (channel, place) in winners.enumerated() {
            if patches.count == 1, hidden[channel] <= 0 { continue }
            let back = outputGradients.indices.reduce(Float(0)) {
                $0 + outputGradients[$1] * values[kernel.range.lowerBound + channel * outputGradients.count + $1]
            }
            gradient[layout.leaves[1].range.lowerBound + channel] = back
            for (index, feature) in patches[place].enumerated() {
                gradient[first.range.lowerBound + index * first.shape[1] + channel] = input[feature] * back
            }
        }
        return gradient
    }

    private func softmaxErrors(_ scores: [Float], _ target: Int) -> [Float] {
        var outputGradients = [Float](repeating: 0, count: scores.count)
        outputGradients.withUnsafeMutableBufferPointer {
            _ = SoftmaxCrossEntropy.crossEntropy(
                scores, classes: scores.count, target: target, outputGradients: $0.baseAddress!)
        }
        return outputGradients
    }
}
