import Datasets
import Differentiation
import PyTrees

/// Draws initial parameters: the same everywhere, public, and independent of the data.
public struct InitialWeights: Sendable {
    private var generator: SplitMix64

    /// Numbers drawn from SplitMix64.
    public init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    /// Uniform numbers in [−bound, bound), multiples of 2⁻²³·bound.
    public mutating func uniform(shape: [Int], bound: Float) -> Tensor {
        var tensor = Tensor(zeros: shape)
        for index in tensor.values.indices {
            tensor.values[index] = bound * (Float(generator.next() >> 40) * 0x1p-23 - 1)
        }
        return tensor
    }

    /// A kernel [inputs, outputs] before an activation.
    ///
    /// Before ReLU and GELU the bound is √(6 / inputs) (He et al., arXiv 1502.01852), otherwise √(6 / (inputs +
    /// outputs)) (Glorot and Bengio, 2010).
    ///
    /// - `fanOut`: takes the place of the number of outputs in the bound.
    public mutating func kernel(
        inputs: Int, outputs: Int, before activation: Activation = .identity, fanOut: Int? = nil
    ) -> Tensor {
        let isHalved = activation == .relu || activation == .gelu
        let bound = (6 / Float(isHalved ? inputs : inputs + (fanOut ?? outputs))).squareRoot()
        return uniform(shape: [inputs, outputs], bound: bound)
    }

    /// The kernels [inputs, gates · width] and [width, gates · width] of a recurrence: uniform in ±1/√width, as
    /// PyTorch's `nn.GRU` and `nn.LSTM` begin.
    public mutating func recurrentKernels(
        inputs: Int, width: Int, gateCount: Int
    ) -> (input: Tensor, recurrent: Tensor) {
        let bound = 1 / Float(width).squareRoot()
        return (
            uniform(shape: [inputs, gateCount * width], bound: bound),
            uniform(shape: [width, gateCount * width], bound: bound)
        )
    }
}
