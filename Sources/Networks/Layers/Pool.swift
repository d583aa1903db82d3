import Differentiation
import PyTrees

/// The largest or the mean of size × size pixels, for each channel: no parameters.
public struct Pool: Layer, StackLayer {
    /// What represents a window.
    public let pooling: Pooling
    /// The pixels along each side of a window.
    public let size: Int
    /// From one window to the next, in pixels.
    public let stride: Int

    /// A pooling layer.
    public init(_ pooling: Pooling, size: Int, stride: Int) {
        (self.pooling, self.size, self.stride) = (pooling, size, stride)
    }

    /// Shape [height, width, channels] to [height′, width′, channels].
    public func callAsFunction(_ input: Value) -> Value { input.pooled(by: pooling, size: size, stride: stride) }

    /// No children.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {}
}

/// Pooling in an architecture: `{"kind": "pooling", "pooling": "max", "size": 2, "stride": 1}`.
struct PoolBlueprint: LayerBlueprint {
    static let kind = "pooling"
    static let name = "pool"
    static let example = PoolBlueprint(pooling: .max, size: 2, stride: 1)

    var pooling: Pooling
    var size: Int
    var stride: Int

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let window = try shape.window(size: size, stride: stride, padding: 0, at: layer)
        shape = LayerShape([window.outputHeight, window.outputWidth, window.channels])
        return Pool(pooling, size: size, stride: stride)
    }
}

extension NetworkArchitecture.Layer {
    /// The largest or the mean of size × size pixels, for each channel, in steps of `stride`.
    public static func pooling(_ pooling: Pooling, size: Int, stride: Int) -> Self {
        Self(PoolBlueprint(pooling: pooling, size: size, stride: stride))
    }
}
