import Datasets
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

extension Network: TrainableModel {
    /// An empty workspace.
    public func makeWorkspace() -> NetworkWorkspace {
        NetworkWorkspace(layers: Array(repeating: LayerMemory(), count: stages.count))
    }

    /// The layers' outputs and output gradients, and the patches of convolutions, in Float32.
    public var gradientBytesPerExample: Int {
        stages.reduce(0) { bytes, stage in
            let outputs = 4 * stage.outputCount * (stage.activation.keepsDerivatives ? 3 : 2)
            guard case .convolution(let map, let window) = stage else { return bytes + outputs }
            return bytes + outputs + 4 * window.positions * map.inputs
        }
    }

    /// The factored gradients: for each layer what it was given and its output gradients.
    ///
    /// They lie in the workspace, and so do the losses. Hold them no longer than until the next call: it would have to
    /// allocate anew.
    public func gradients(
        of examples: Examples, at parameters: ParameterVector, workspace: inout NetworkWorkspace
    ) -> FactoredGradients {
        backpropagate(examples, at: parameters, workspace: &workspace)
        var parts: [FactoredGradients.Part] = []
        for (index, stage) in stages.enumerated() {
            switch stage {
            case .dense(let map):
                parts.append(
                    .dense(
                        kernel: map.kernel.path, bias: map.bias.path,
                        activations: inputs(of: index, examples, workspace),
                        outputGradients: workspace.layers[index].outputGradients))
            case .convolution(let map, let window):
                parts.append(
                    .sequence(
                        kernel: map.kernel.path, bias: map.bias.path, activations: workspace.layers[index].patches,
                        outputGradients: workspace.layers[index].outputGradients.reshaped(columns: map.outputs),
                        positions: window.positions))
            case .pooling: break
            }
        }
        do throws(PrivacyMechanismError) {
            return try FactoredGradients(
                layout: layout, exampleCount: examples.count, parts: parts, nonPrivateLosses: workspace.losses)
        } catch {
            fail(error.description)
        }
    }

    /// The outputs; they lie in the workspace, as the gradients do.
    public func outputs(
        for inputs: Matrix, at parameters: ParameterVector, workspace: inout NetworkWorkspace
    ) -> Matrix {
        forward(inputs, at: parameters, workspace: &workspace)
        return workspace.layers[stages.count - 1].outputs
    }

    /// The loss of each example under the architecture's loss function.
    public func losses(of outputs: Matrix, targets: Targets) -> [Float] {
        var losses: [Float] = []
        architecture.loss.evaluate(outputs, targets: targets, outputGradients: nil, into: &losses)
        return losses
    }

    /// Classes by the highest score (the first of several), or by the score's sign for the logistic loss; numbers as
    /// they are.
    public func predictions(from outputs: Matrix) -> Targets {
        architecture.loss.predictions(from: outputs)
    }

    /// Throws `widthMismatch`, `targetKindMismatch` or `classOutOfRange` unless the network can learn such examples.
    public func check(featureCount: Int, targets: Targets) throws(ModelError) {
        if featureCount != self.featureCount {
            throw .widthMismatch(.inputs, model: self.featureCount, data: featureCount)
        }
        try architecture.loss.check(targets, outputs: outputCount)
    }
}
