import LinearAlgebra
import PyTrees

/// A layer with its shapes and its place among the parameters.
enum Stage: Sendable {
    case dense(LinearMap)
    case convolution(LinearMap, ImageWindow)
    case pooling(NetworkArchitecture.Pooling, ImageWindow)

    /// The number of outputs for one example.
    var outputCount: Int {
        switch self {
        case .dense(let map): map.outputs
        case .convolution(let map, let window): window.positions * map.outputs
        case .pooling(_, let window): window.positions * window.channels
        }
    }

    /// What is applied to the outputs.
    var activation: Activation {
        switch self {
        case .dense(let map), .convolution(let map, _): map.activation
        case .pooling: .identity
        }
    }
}

/// A kernel and a bias, and what is applied to their outputs.
struct LinearMap: Sendable {
    let kernel: TreeLayout.Leaf
    let bias: TreeLayout.Leaf
    let inputs: Int
    let outputs: Int
    let activation: Activation
}

extension Stage {
    /// Maps inputs, a row for each example, to the outputs in `memory`, and keeps there what the way back needs.
    func forward(_ inputs: Matrix, parameters: UnsafePointer<Float>, memory: inout LayerMemory) {
        let batch = inputs.rows
        memory.outputs.reshape(rows: batch, columns: outputCount)
        if activation.keepsDerivatives { memory.derivatives.reshape(rows: batch, columns: outputCount) }
        if case .convolution(let map, let window) = self {
            memory.patches.reshape(rows: batch * window.positions, columns: map.inputs)
        }
        inputs.withUnsafeElements { inputs in
            memory.withUnsafe { layer in
                let inputs = inputs.baseAddress!
                switch self {
                case .dense(let map): map.forward(inputs, batch: batch, parameters, layer)
                case .convolution(let map, let window):
                    map.forward(inputs, batch: batch, window, parameters, layer)
                case .pooling(let pooling, let window):
                    window.forEachExample(of: batch) { example in
                        window.pool(
                            inputs + example * window.inputCount, by: pooling,
                            into: layer.outputs + example * outputCount)
                    }
                }
            }
        }
    }

    /// Takes this layer's output gradients back to the layer before, whose outputs were this one's inputs: multiplied
    /// with that layer's derivative, they are its output gradients.
    func backward(
        from memory: LayerMemory, parameters: UnsafePointer<Float>, previous: Stage, previousMemory: inout LayerMemory
    ) {
        let batch = memory.outputGradients.rows
        previousMemory.outputGradients.reshape(rows: batch, columns: previous.outputCount)
        memory.outputGradients.withUnsafeElements { outputGradients in
            previousMemory.withUnsafe { before in
                let outputGradients = outputGradients.baseAddress!
                let finish = { (example: Int) in
                    let offset = example * previous.outputCount
                    previous.activation.multiplyByDerivative(
                        before.outputGradients + offset, outputs: before.outputs + offset,
                        derivatives: before.derivatives + offset,
                        Block(rows: 1, count: previous.outputCount, stride: previous.outputCount))
                }
                switch self {
                case .dense(let map):
                    map.backward(outputGradients, batch: batch, parameters, previous.activation, before)
                case .convolution(let map, let window):
                    map.backward(outputGradients, batch: batch, window, parameters, before.outputGradients, finish)
                case .pooling(let pooling, let window):
                    memory.outputs.withUnsafeElements { outputs in
                        window.forEachExample(of: batch) { example in
                            window.unpool(
                                outputGradients + example * outputCount, by: pooling,
                                inputs: before.outputs + example * window.inputCount,
                                outputs: outputs.baseAddress! + example * outputCount,
                                into: before.outputGradients + example * window.inputCount)
                            finish(example)
                        }
                    }
                }
            }
        }
    }
}

/// Pointers into a layer's memory.
struct LayerPointers {
    let outputs: UnsafeMutablePointer<Float>
    let outputGradients: UnsafeMutablePointer<Float>
    /// Where the activation keeps none, it is not followed.
    let derivatives: UnsafeMutablePointer<Float>
    let patches: UnsafeMutablePointer<Float>
}

extension LayerMemory {
    mutating func withUnsafe(_ body: (LayerPointers) -> Void) {
        outputs.withUnsafeMutableElements { outputs in
            outputGradients.withUnsafeMutableElements { outputGradients in
                derivatives.withUnsafeMutableElements { derivatives in
                    patches.withUnsafeMutableElements { patches in
                        body(
                            LayerPointers(
                                outputs: outputs.baseAddress!, outputGradients: outputGradients.baseAddress!,
                                derivatives: derivatives.baseAddress!, patches: patches.baseAddress!))
                    }
                }
            }
        }
    }
}
