import Datasets
import LinearAlgebra
import PyTrees
import Requirements

extension Network {
    /// The mean of the examples' gradients, straight from products over the whole batch: the baseline to which private
    /// training is compared. Returns the mean loss. **Nothing about it is private.**
    ///
    /// Zeros and a loss of 0 for no examples. Traps unless inputs, targets, parameters and gradient fit the network.
    @discardableResult
    package func nonPrivateGradient(
        of examples: Examples, at parameters: ParameterVector, into gradient: inout ParameterVector,
        workspace: inout NetworkWorkspace
    ) -> Double {
        require(
            gradient.layout == layout,
            "A gradient of layout\n\(gradient.layout)\ndoes not fit a network of layout\n\(layout)")
        backpropagate(examples, at: parameters, workspace: &workspace)
        let share = examples.count == 0 ? 0 : 1 / Float(examples.count)
        gradient.withUnsafeMutableValues { gradient in
            for (index, stage) in stages.enumerated() {
                switch stage {
                case .dense(let map):
                    let inputs = inputs(of: index, examples, workspace)
                    map.writeGradient(
                        inputs, workspace.layers[index].outputGradients, share, &workspace.ones, into: gradient)
                case .convolution(let map, _):
                    let outputGradients = workspace.layers[index].outputGradients.reshaped(columns: map.outputs)
                    map.writeGradient(
                        workspace.layers[index].patches, outputGradients, share, &workspace.ones, into: gradient)
                case .pooling: break
                }
            }
        }
        return workspace.losses.reduce(0) { $0 + Double($1) } * Double(share)
    }
}

extension LinearMap {
    /// The kernel's part is share · AᵀE, the bias's share · Eᵀ1.
    fileprivate func writeGradient(
        _ activations: Matrix, _ outputGradients: Matrix, _ share: Float, _ ones: inout [Float],
        into gradient: UnsafeMutableBufferPointer<Float>
    ) {
        if ones.count < outputGradients.rows { ones = [Float](repeating: 1, count: outputGradients.rows) }
        activations.withUnsafeElements { activations in
            outputGradients.withUnsafeElements { elements in
                BLAS.gemm(
                    rows: inputs, columns: outputs, inner: outputGradients.rows, activations.baseAddress!, .transposed,
                    elements.baseAddress!, .none, alpha: share,
                    into: gradient.baseAddress! + kernel.range.lowerBound)
            }
        }
        ones.withUnsafeBufferPointer { ones in
            BLAS.gemv(
                outputGradients, .transposed, UnsafeBufferPointer(rebasing: ones[..<outputGradients.rows]),
                alpha: share,
                into: UnsafeMutableBufferPointer(rebasing: gradient[bias.range]))
        }
    }
}
