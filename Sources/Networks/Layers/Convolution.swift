import Differentiation
import PyTrees

/// A kernel slid over an image: y = f(K·patch + b) at every position.
public struct Convolution: Layer, StackLayer {
    /// K: [size · size · channels, outputs], in the order of the image.
    public var kernel: Tensor
    /// b: [outputs].
    public var bias: Tensor
    /// The pixels along each side of a patch.
    public let size: Int
    /// From one position to the next, in pixels.
    public let stride: Int
    /// Rows and columns of zeros around the image.
    public let padding: Int
    /// f.
    public let activation: Activation
    /// Whether the kernel is standardised before use: ŵ = (w − mean)/√(variance + 10⁻⁵) for each output, arXiv
    /// 1903.10520.
    public let isStandardised: Bool

    /// A layer with a random kernel and a bias of zeros.
    public init(
        channels: Int, outputs: Int, size: Int, stride: Int = 1, padding: Int = 0, activation: Activation = .identity,
        isStandardised: Bool = false, weights: inout InitialWeights
    ) {
        kernel = weights.kernel(
            inputs: size * size * channels, outputs: outputs, before: activation, fanOut: outputs * size * size)
        bias = Tensor(zeros: [outputs])
        (self.size, self.stride, self.padding, self.activation) = (size, stride, padding, activation)
        self.isStandardised = isStandardised
    }

    /// Shape [height, width, channels] to [height′, width′, outputs].
    public func callAsFunction(_ input: Value) -> Value {
        input.convolved(
            kernel: kernel, bias: bias, size: size, stride: stride, padding: padding, activation: activation,
            isStandardised: isStandardised)
    }

    /// `kernel` and `bias`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("kernel", &kernel)
        try visitor.visit("bias", &bias)
    }
}

/// A convolution in an architecture: `{"kind": "convolution", "outputs": 16, "size": 8, "stride": 2, "padding": 3,
/// "activation": "tanh", "standardised": true}`; "standardised" may be left out.
struct ConvolutionBlueprint: LayerBlueprint {
    static let kind = "convolution"
    static let name = "conv"
    static let example = ConvolutionBlueprint(
        outputs: 16, size: 8, stride: 2, padding: 3, activation: .tanh, standardised: true)

    var outputs: Int
    var size: Int
    var stride: Int
    var padding: Int
    var activation: Activation
    /// Nil for false, which files leave out.
    var standardised: Bool?

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        try activation.check()
        let window = try shape.window(size: size, stride: stride, padding: padding, at: layer)
        try checkDimensions(
            [
                (outputs, "number of outputs"), (window.positions, "number of positions"),
                (window.patchLength, "size of a patch"),
            ], at: layer)
        let isStandardised = standardised ?? false
        if isStandardised && window.patchLength == 1 { throw .nothingToStandardise(layer: layer) }
        shape = LayerShape([window.outputHeight, window.outputWidth, outputs])
        return Convolution(
            channels: window.channels, outputs: outputs, size: size, stride: stride, padding: padding,
            activation: activation, isStandardised: isStandardised, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// A kernel of (size · size · channels) × outputs slid over an image in steps of `stride`, which `padding` rows and
    /// columns of zeros surround. The kernel may be standardised before use, see ``Convolution/isStandardised``.
    public static func convolution(
        outputs: Int, size: Int, stride: Int, padding: Int, activation: Activation, isStandardised: Bool = false
    ) -> Self {
        Self(
            ConvolutionBlueprint(
                outputs: outputs, size: size, stride: stride, padding: padding, activation: activation,
                standardised: isStandardised ? true : nil))
    }
}
