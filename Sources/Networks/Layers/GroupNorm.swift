import Differentiation
import PyTrees

/// (x − mean) / √(variance + ε) ∘ gain + bias of an image, with mean and variance over all positions and the channels
/// of a group. Source: arXiv 1803.08494.
public struct GroupNorm: Layer, StackLayer {
    /// [channels].
    public var gain: Tensor
    /// [channels].
    public var bias: Tensor
    /// How many groups of channels that follow each other there are.
    public let groups: Int
    /// ε.
    public let epsilon: Float

    /// A layer with a gain of ones and a bias of zeros. Traps when it is used unless the groups divide the channels,
    /// and ε is above 0.
    public init(channels: Int, groups: Int, epsilon: Float = 1e-5) {
        gain = Tensor([Float](repeating: 1, count: channels))
        bias = Tensor(zeros: [channels])
        (self.groups, self.epsilon) = (groups, epsilon)
    }

    /// Shape [height, width, channels] to the same.
    public func callAsFunction(_ input: Value) -> Value {
        input.groupNormalized(gain: gain, bias: bias, groups: groups, epsilon: epsilon)
    }

    /// `gain` and `bias`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("gain", &gain)
        try visitor.visit("bias", &bias)
    }
}

/// Normalisation of images in an architecture: `{"kind": "groupNorm", "groups": 4}`.
struct GroupNormBlueprint: LayerBlueprint {
    static let kind = "groupNorm"
    static let name = "norm"
    static let example = GroupNormBlueprint(groups: 4)

    var groups: Int

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        guard shape.isImage else { throw .noImage(layer: layer) }
        try checkDimensions([(groups, "number of groups")], at: layer)
        let channels = shape.dimensions[2]
        if !channels.isMultiple(of: groups) {
            throw .doesNotDivide(groups, name: "groups", features: channels, layer: layer)
        }
        return GroupNorm(channels: channels, groups: groups)
    }
}

extension NetworkArchitecture.Layer {
    /// Groups of an image's channels of mean 0 and variance 1, times a gain, plus a bias.
    public static func groupNorm(groups: Int) -> Self { Self(GroupNormBlueprint(groups: groups)) }
}
