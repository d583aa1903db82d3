import Differentiation
import PyTrees

/// What an architecture says of one layer, and how the layer is built from it.
///
/// The keys in JSON are those of `Codable`, and `kind`.
protocol LayerBlueprint: Codable, Hashable, Sendable {
    /// What names the kind in JSON.
    static var kind: String { get }
    /// What layers of the kind are called in the tree, before a number.
    static var name: String { get }
    /// A layer of the kind with all of its keys.
    static var example: Self { get }
    /// Whether outputs at a position depend on positions after it. False unless a kind says otherwise.
    var seesLaterPositions: Bool { get }

    /// The layer, on what the layer before puts out; `shape` becomes that of its own outputs.
    ///
    /// Throws a `ModelError` that names the layer and the number if they do not fit together.
    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer
}

extension LayerBlueprint {
    var seesLaterPositions: Bool { false }

    /// The keys in JSON beside `kind`.
    var keys: [String] { Mirror(reflecting: self).children.compactMap(\.label) }
}

/// What one example is between two layers.
struct LayerShape: Hashable, Sendable {
    /// The dimensions, positions first and features last.
    let dimensions: [Int]
    /// How many tokens there are, where the numbers are token ids.
    let vocabulary: Int?
    /// The table of the embedding among the layers before, which a tied head takes.
    var table: TableSize?

    struct TableSize: Hashable, Sendable {
        let vocabulary: Int
        let width: Int
    }

    init(_ dimensions: [Int], vocabulary: Int? = nil) {
        (self.dimensions, self.vocabulary) = (dimensions, vocabulary)
    }

    var count: Int { dimensions.reduce(1, *) }
    var isImage: Bool { dimensions.count == 3 }
    var isSequence: Bool { dimensions.count == 2 }

    /// The number of features at each position. Throws for token ids.
    func features(for kind: String, at layer: Int) throws(ModelError) -> Int {
        if vocabulary != nil { throw .tokensNotEmbedded(kind: kind, layer: layer) }
        return dimensions.last ?? 1
    }

    /// Positions and features of a sequence. Throws for anything else.
    func sequence(for kind: String, at layer: Int) throws(ModelError) -> (positions: Int, width: Int) {
        let width = try features(for: kind, at: layer)
        guard isSequence else { throw .noSequence(kind: kind, layer: layer) }
        return (dimensions[0], width)
    }

    /// A window over the image.
    func window(size: Int, stride: Int, padding: Int, at layer: Int) throws(ModelError) -> ImageWindow {
        guard isImage else { throw .noImage(layer: layer) }
        try checkDimensions([(stride, "stride")], at: layer)
        // Far from overflow, and more than any image has.
        guard padding >= 0, padding < 1 << 30 else { throw .invalidDimension(padding, name: "padding", layer: layer) }
        try checkDimensions([(size, "size"), (size, "size"), (dimensions[2], "number of channels")], at: layer)
        let smaller = min(dimensions[0], dimensions[1]) + 2 * padding
        if size > smaller { throw .windowTooLarge(layer: layer, window: size, image: smaller) }
        return ImageWindow(
            height: dimensions[0], width: dimensions[1], channels: dimensions[2], size: size, stride: stride,
            padding: padding)
    }
}

/// Throws `invalidDimension` if one of the dimensions is below 1, or their product too large for the numbers BLAS
/// counts in.
func checkDimensions(_ dimensions: [(value: Int, name: String)], at layer: Int?) throws(ModelError) {
    var product = 1
    for (value, name) in dimensions {
        let (next, overflow) = product.multipliedReportingOverflow(by: value)
        if value < 1 || overflow || next >= 1 << 40 || value > Int(Int32.max) {
            throw .invalidDimension(value, name: name, layer: layer)
        }
        product = next
    }
}

extension Activation {
    /// Throws unless its constants make an increasing function.
    func check() throws(ModelError) {
        do throws(ActivationError) { try validate() } catch { throw .activation(error) }
    }
}

extension NetworkArchitecture {
    /// The layers of the architecture with random parameters, and what they put out.
    func build(seed: UInt64) throws(ModelError) -> (stack: LayerStack, outputs: LayerShape) {
        var weights = InitialWeights(seed: seed)
        var shape = try input.shape()
        return (try LayerStack(layers, on: &shape, weights: &weights), shape)
    }
}

extension LayerStack {
    /// Layers with random parameters, on values of a shape that becomes that of their outputs. Each that has parameters
    /// is named by its kind, counted from 1.
    init(
        _ architecture: [NetworkArchitecture.Layer], on shape: inout LayerShape, weights: inout InitialWeights
    ) throws(ModelError) {
        self.init()
        var counts: [String: Int] = [:]
        for (index, layer) in architecture.enumerated() {
            let table = shape.table
            let built = try layer.blueprint.build(on: &shape, at: index, weights: &weights)
            shape.table = shape.table ?? table
            let name = type(of: layer.blueprint).name
            let hasLeaves = !built.requiredLayout.leaves.isEmpty
            if hasLeaves { counts[name, default: 0] += 1 }
            layers.append((hasLeaves ? "\(name)\(counts[name]!)" : nil, built))
        }
        if layers.isEmpty { throw .noLayers }
    }
}

extension NetworkArchitecture.Input {
    func shape() throws(ModelError) -> LayerShape {
        switch self {
        case .features(let count):
            try checkDimensions([(count, "number of features")], at: nil)
            return LayerShape([count])
        case .image(let height, let width, let channels):
            try checkDimensions(
                [(height, "height"), (width, "width"), (channels, "number of channels")], at: nil)
            return LayerShape([height, width, channels])
        case .sequence(let positions, let width):
            try checkDimensions([(positions, "number of positions"), (width, "width")], at: nil)
            return LayerShape([positions, width])
        case .tokens(let length, let vocabulary):
            try checkDimensions([(length, "length"), (vocabulary, "vocabulary")], at: nil)
            return LayerShape([length], vocabulary: vocabulary)
        }
    }
}
