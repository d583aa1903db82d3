import PyTrees

/// Follows the shape of an example through the layers, and collects the leaves on the way.
struct NetworkBuilder {
    private enum Shape {
        case vector(Int)
        case image(height: Int, width: Int, channels: Int)
    }

    /// A layer before its leaves have their places: indices into the leaves take the place of ranges.
    enum StageShape {
        case dense(kernel: Int, inputs: Int, outputs: Int, Activation)
        case convolution(kernel: Int, outputs: Int, ImageWindow, Activation)
        case pooling(NetworkArchitecture.Pooling, ImageWindow)

        var outputCount: Int {
            switch self {
            case .dense(_, _, let outputs, _): outputs
            case .convolution(_, let outputs, let window, _): window.positions * outputs
            case .pooling(_, let window): window.positions * window.channels
            }
        }

        func stage(_ leaves: [TreeLayout.Leaf]) -> Stage {
            switch self {
            case .dense(let kernel, let inputs, let outputs, let activation):
                .dense(
                    LinearMap(
                        kernel: leaves[kernel], bias: leaves[kernel + 1], inputs: inputs, outputs: outputs,
                        activation: activation))
            case .convolution(let kernel, let outputs, let window, let activation):
                .convolution(
                    LinearMap(
                        kernel: leaves[kernel], bias: leaves[kernel + 1], inputs: window.patchLength,
                        outputs: outputs, activation: activation), window)
            case .pooling(let pooling, let window): .pooling(pooling, window)
            }
        }
    }

    let featureCount: Int
    private(set) var shapes: [StageShape] = []
    private(set) var leaves: [(path: TreePath, shape: [Int])] = []
    private var shape: Shape
    private var denseCount = 0
    private var convolutionCount = 0

    init(_ input: NetworkArchitecture.Input) throws(ModelError) {
        switch input {
        case .features(let count):
            featureCount = try Self.product([(count, "number of features")], layer: nil)
            shape = .vector(count)
        case .image(let height, let width, let channels):
            featureCount = try Self.product(
                [(height, "height"), (width, "width"), (channels, "number of channels")], layer: nil)
            shape = .image(height: height, width: width, channels: channels)
        }
    }

    mutating func append(_ layer: NetworkArchitecture.Layer) throws(ModelError) {
        let index = shapes.count
        switch layer {
        case .dense(let outputs, let activation):
            try activation.validate()
            let inputs = shapes.last?.outputCount ?? featureCount
            _ = try Self.product([(outputs, "number of outputs"), (inputs, "number of inputs")], layer: index)
            denseCount += 1
            shapes.append(.dense(kernel: leaves.count, inputs: inputs, outputs: outputs, activation))
            appendLeaves("dense\(denseCount)", kernel: [inputs, outputs])
            shape = .vector(outputs)
        case .convolution(let outputs, let size, let stride, let padding, let activation):
            try activation.validate()
            let window = try window(size: size, stride: stride, padding: padding, layer: index)
            _ = try Self.product(
                [
                    (outputs, "number of outputs"), (window.positions, "number of positions"),
                    (window.patchLength, "size of a patch"),
                ], layer: index)
            convolutionCount += 1
            shapes.append(.convolution(kernel: leaves.count, outputs: outputs, window, activation))
            appendLeaves("conv\(convolutionCount)", kernel: [window.patchLength, outputs])
            shape = .image(height: window.outputHeight, width: window.outputWidth, channels: outputs)
        case .pooling(let pooling, let size, let stride):
            let window = try window(size: size, stride: stride, padding: 0, layer: index)
            shapes.append(.pooling(pooling, window))
            shape = .image(height: window.outputHeight, width: window.outputWidth, channels: window.channels)
        }
    }

    private mutating func appendLeaves(_ name: String, kernel: [Int]) {
        leaves.append((TreePath([name, "kernel"]), kernel))
        leaves.append((TreePath([name, "bias"]), [kernel[kernel.count - 1]]))
    }

    private func window(size: Int, stride: Int, padding: Int, layer: Int) throws(ModelError) -> ImageWindow {
        guard case .image(let height, let width, let channels) = shape else { throw .noImage(layer: layer) }
        _ = try Self.product([(stride, "stride")], layer: layer)
        // Far from overflow, and more than any image has.
        guard padding >= 0, padding < 1 << 30 else { throw .invalidDimension(padding, name: "padding", layer: layer) }
        _ = try Self.product([(size, "size"), (size, "size"), (channels, "number of channels")], layer: layer)
        let smaller = min(height, width) + 2 * padding
        if size > smaller { throw .windowTooLarge(layer: layer, window: size, image: smaller) }
        return ImageWindow(
            height: height, width: width, channels: channels, size: size, stride: stride, padding: padding)
    }

    /// The product of dimensions; throws if one is below 1, or if it is too large for the numbers BLAS counts in.
    private static func product(_ dimensions: [(value: Int, name: String)], layer: Int?) throws(ModelError) -> Int {
        var product = 1
        for (value, name) in dimensions {
            let (next, overflow) = product.multipliedReportingOverflow(by: value)
            if value < 1 || overflow || next >= 1 << 40 || value > Int(Int32.max) {
                throw .invalidDimension(value, name: name, layer: layer)
            }
            product = next
        }
        return product
    }
}
