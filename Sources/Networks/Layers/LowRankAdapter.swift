import Differentiation
import PyTrees

/// A dense layer whose kernel is given, and a product of two small kernels that is trained in its place:
/// y = f(xK + b + (α/r)·(xA)B). Source: Hu et al., LoRA, arXiv 2106.09685, section 4.1.
///
///     let start = try network.read("pretrained.safetensors")
///     let model = try network.freezing(network.frozenPaths(training: ["dense2"]), of: start)
///
/// K and b are meant to be frozen, see ``TrainableModel/frozenPaths(training:freezesDown:)``. B begins at zero, so that
/// the layer begins as the dense layer that it was made from. With A frozen, too, an example's gradient is linear in
/// what is trained, and noise is not multiplied by noise: Sun et al., FFA-LoRA, arXiv 2403.12313.
public struct LowRankAdapter: Layer, StackLayer {
    /// K: [inputs, outputs].
    public var kernel: Tensor
    /// b: [outputs]; nil for none.
    public var bias: Tensor?
    /// A: [inputs, rank].
    public var down: Tensor
    /// B: [rank, outputs].
    public var up: Tensor
    /// α, in units of which the product of rank r is multiplied by 1/r.
    public let alpha: Float
    /// f.
    public let activation: Activation

    /// An adapter around a dense layer. A is uniform in ±1/√inputs, as in the authors' code, and B zero.
    public init(_ dense: Dense, rank: Int, alpha: Float, weights: inout InitialWeights) {
        let (inputs, outputs) = (dense.kernel.shape[0], dense.kernel.shape[1])
        (kernel, bias, activation) = (dense.kernel, dense.bias, dense.activation)
        down = weights.uniform(shape: [inputs, rank], bound: 1 / Float(inputs).squareRoot())
        up = Tensor(zeros: [rank, outputs])
        self.alpha = alpha
    }

    /// r.
    public var rank: Int { down.shape[1] }

    /// The dense layer with K + (α/r)·AB for its kernel: the same function but for rounding.
    public var merged: Dense {
        var dense = Dense(kernel: kernel, bias: bias, activation: activation)
        let (scale, outputs) = (alpha / Float(rank), kernel.shape[1])
        for input in 0..<kernel.shape[0] {
            for output in 0..<outputs {
                let product = (0..<rank).reduce(Float(0)) { sum, inner in
                    sum + down.values[input * rank + inner] * up.values[inner * outputs + output]
                }
                dense.kernel.values[input * outputs + output] += scale * product
            }
        }
        return dense
    }

    /// Shape […, inputs] to […, outputs].
    public func callAsFunction(_ input: Value) -> Value {
        let adapted = (alpha / Float(rank)) * input.dense(kernel: down).dense(kernel: up)
        let sum = input.dense(kernel: kernel, bias: bias) + adapted
        return activation == .identity ? sum : sum.activated(by: activation)
    }

    /// Takes an image as one vector.
    public func apply(to signal: Signal, in stack: LayerStack) -> Signal { .values(self(signal.values.flattenedImage)) }

    /// `kernel`, `bias`, `down` and `up`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("kernel", &kernel)
        if bias != nil { try visitor.visit("bias", &bias) }
        try visitor.visit("down", &down)
        try visitor.visit("up", &up)
    }
}

/// An adapted dense layer in an architecture: `{"kind": "lowRankAdapter", "outputs": 10, "activation": "identity",
/// "rank": 4, "alpha": 8}`.
///
/// It is named and counted as a dense layer is, so that the kernel of the network without adapters is found.
struct LowRankAdapterBlueprint: LayerBlueprint {
    static let kind = "lowRankAdapter"
    static let name = DenseBlueprint.name
    static let example = LowRankAdapterBlueprint(outputs: 10, activation: .identity, rank: 4, alpha: 8)

    var outputs: Int
    var activation: Activation
    var rank: Int
    var alpha: Float

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let dense = try DenseBlueprint(outputs: outputs, activation: activation)
            .dense(on: &shape, as: Self.kind, at: layer, weights: &weights)
        let inputs = dense.kernel.shape[0]
        guard rank >= 1, rank <= min(inputs, outputs) else {
            throw .invalidRank(rank, inputs: inputs, outputs: outputs, layer: layer)
        }
        guard alpha > 0, alpha.isFinite else { throw .invalidAlpha(alpha, layer: layer) }
        return LowRankAdapter(dense, rank: rank, alpha: alpha, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// A dense layer of which (α/r) times a product of rank r is trained beside the kernel.
    public static func lowRankAdapter(outputs: Int, activation: Activation, rank: Int, alpha: Float) -> Self {
        Self(LowRankAdapterBlueprint(outputs: outputs, activation: activation, rank: rank, alpha: alpha))
    }
}
