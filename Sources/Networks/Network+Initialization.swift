import Datasets
import PyTrees

extension Network {
    /// Uniform kernels of mean 0, and biases of 0.
    ///
    /// Before ReLU and GELU the bound is √(6 / inputs) (He et al., arXiv 1502.01852), otherwise √(6 / (inputs +
    /// outputs)) (Glorot and Bengio, 2010), for convolutions with the patch as inputs and outputs · size² as outputs. A
    /// network of one layer, a regression, begins at zero. Drawn from SplitMix64 with `seed`, leaf after leaf: the
    /// same everywhere, public, and independent of the data.
    public func initialParameters(seed: UInt64) -> ParameterVector {
        var parameters = ParameterVector(zeros: layout)
        if stages.count == 1 { return parameters }
        var generator = SplitMix64(seed: seed)
        parameters.withUnsafeMutableValues { values in
            for stage in stages {
                let map: LinearMap
                let fanOut: Int
                switch stage {
                case .dense(let dense): (map, fanOut) = (dense, dense.outputs)
                case .convolution(let convolution, let window):
                    (map, fanOut) = (convolution, convolution.outputs * window.size * window.size)
                case .pooling: continue
                }
                let halved = map.activation == .relu || map.activation == .gelu
                let bound = (6 / Float(halved ? map.inputs : map.inputs + fanOut)).squareRoot()
                for index in map.kernel.range { values[index] = bound * generator.nextSymmetric() }
            }
        }
        return parameters
    }
}

extension SplitMix64 {
    /// A multiple of 2⁻²³ in [-1, 1).
    fileprivate mutating func nextSymmetric() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
}
