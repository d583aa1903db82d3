import Datasets
import LinearAlgebra
import PyTrees
import Requirements

extension Network {
    /// Runs the layers one after the other. The outputs stay in the workspace.
    func forward(_ inputs: Matrix, at parameters: ParameterVector, workspace: inout NetworkWorkspace) {
        require(
            inputs.columns == featureCount,
            "Examples of \(inputs.columns) features do not fit a network of \(featureCount).")
        require(
            parameters.layout == layout,
            "Parameters of layout\n\(parameters.layout)\ndo not fit a network of layout\n\(layout)")
        parameters.withUnsafeValues { parameters in
            for (index, stage) in stages.enumerated() {
                stage.forward(
                    index == 0 ? inputs : workspace.layers[index - 1].outputs, parameters: parameters.baseAddress!,
                    memory: &workspace.layers[index])
            }
        }
    }

    /// Runs the layers forward, takes the losses, and runs the layers backward: every layer's output gradients and
    /// every example's loss are then in the workspace.
    func backpropagate(
        _ examples: Examples, at parameters: ParameterVector, workspace: inout NetworkWorkspace
    ) {
        forward(examples.inputs, at: parameters, workspace: &workspace)
        let last = stages.count - 1
        workspace.layers[last].outputGradients.reshape(rows: examples.count, columns: outputCount)
        let scores = workspace.layers[last].outputs
        workspace.layers[last].outputGradients.withUnsafeMutableElements { outputGradients in
            architecture.loss.evaluate(
                scores, targets: examples.targets, outputGradients: outputGradients.baseAddress!,
                into: &workspace.losses)
        }
        workspace.layers[last].multiplyErrors(by: stages[last].activation)
        parameters.withUnsafeValues { parameters in
            for index in stride(from: last, to: 0, by: -1) {
                stages[index].backward(
                    from: workspace.layers[index], parameters: parameters.baseAddress!,
                    previous: stages[index - 1], previousMemory: &workspace.layers[index - 1])
            }
        }
    }

    /// What the layer at `index` was given: the examples, or what the layer before put out.
    func inputs(of index: Int, _ examples: Examples, _ workspace: NetworkWorkspace) -> Matrix {
        index == 0 ? examples.inputs : workspace.layers[index - 1].outputs
    }
}

extension LayerMemory {
    /// Gradients by the outputs of a layer become gradients by what goes into its activation.
    mutating func multiplyErrors(by activation: Activation) {
        if activation == .identity { return }
        let (rows, columns) = (outputs.rows, outputs.columns)
        withUnsafe { layer in
            activation.multiplyByDerivative(
                layer.outputGradients, outputs: layer.outputs, derivatives: layer.derivatives,
                Block(rows: rows, count: columns, stride: columns))
        }
    }
}
