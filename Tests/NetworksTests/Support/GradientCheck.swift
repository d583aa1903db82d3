import Datasets
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
@_exported import _TestSupport

/// Compares per-example gradients with central differences of the Float64 forward pass.
///
/// The tolerance for parameter j is K·2⁻²⁴·S_j·(1 + c). S_j is the sum of the magnitudes of all terms of the derivative
/// (see `ReferenceNetwork.errorBound`). K counts the roundings that a term meets on its way: a product of n terms has
/// n, an activation less than 12, on the way there, and back over outputs and positions. An error of an activation's
/// input, at most K·2⁻²⁴·Z with Z the largest magnitude there, moves derivatives too, by the curvature of each
/// activation and of the loss (at most ½ relative to its bound of 1): c = Z·Σ curvature. The differences themselves are
/// off by some h²/6 = 2e-11 and 2⁻⁵³/h = 2e-11 relative to S·(1 + c)³, which K·2⁻²⁴ is far above.
struct GradientCheck {
    let network: Network
    let examples: Examples
    let parameters: ParameterVector

    init(_ network: Network, examples count: Int, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        self.network = network
        examples = generator.examples(count, for: network)
        parameters = try generator.parameters(for: network)
    }

    /// The network's own gradients, a row for each example.
    func ownGradients() -> [[Float]] {
        var workspace = network.makeWorkspace()
        return network.gradients(of: examples, at: parameters, workspace: &workspace).rows
    }

    /// How many elements lie outside their tolerance; `rows` are those of the examples from `first` on.
    func failures(of rows: [[Float]], first: Int = 0) -> Int {
        zip(first..., rows).reduce(0) { failures, item in
            let (example, row) = item
            let (exact, tolerances) = self[example]
            return failures + row.indices.count { !(abs(Double(row[$0]) - exact[$0]) <= tolerances[$0]) }
        }
    }

    /// An example's gradient by differences, and how far from it Float32 may be.
    subscript(example: Int) -> (gradient: [Double], tolerances: [Double]) {
        let values = parameters.values.map(Double.init)
        let input = examples.inputs.row(example).map(Double.init)
        let target = examples.targets[example]
        let gradient = ReferenceNetwork(architecture: network.architecture).gradient(input, target, values)
        var magnitude = ReferenceNetwork(architecture: network.architecture, errorBound: 1, addsMaxima: false)
        let (outputs, largest) = magnitude.outputs(input, values)
        magnitude.addsMaxima = true
        if case .values(let target) = target {
            magnitude.errorBound = zip(outputs, target).map { $0 + Double(abs($1)) }.max()
        }
        let curvature = network.architecture.layers.reduce(0.5) {
            switch $1.reference {
            case .dense(_, let activation), .convolution(_, _, _, _, let activation): $0 + activation.curvature
            case .pooling: $0
            }
        }
        // The magnitudes are linear in each parameter, so that any step gives their derivative exactly; at a parameter
        // of 0 the absolute value has none, hence a start away from it.
        let away = values.map { max(abs($0), 1e-3) }
        let factor = roundings * 0x1p-24 * (1 + largest * curvature)
        return (gradient, magnitude.gradient(input, target, away, step: 1e-4).map { factor * $0 })
    }

    private var roundings: Double {
        var inputs = network.featureCount
        var channels = 1
        if case .image(_, _, let count) = network.architecture.input { channels = count }
        return network.architecture.layers.reduce(0.0) { sum, layer in
            switch layer.reference {
            case .dense(let outputs, _):
                defer { inputs = outputs }
                return sum + Double(inputs + outputs + 24)
            case .convolution(let outputs, let size, _, _, _):
                defer { channels = outputs }
                // At most as many positions as features, which a kernel's derivative sums over.
                return sum + Double(size * size * (channels + outputs) + network.featureCount + 24)
            case .pooling(_, let size, _): return sum + Double(2 * size * size)
            }
        }
    }
}

extension PerExampleGradients {
    /// All gradients, written out.
    var rows: [[Float]] {
        (0..<exampleCount).map { example in
            var row = [Float](repeating: .nan, count: layout.count)
            var span = row.mutableSpan
            copyGradient(of: example, into: &span)
            return row
        }
    }
}
