import Differentiation
import PyTrees

/// Where PyTorch keeps the parameters of one layer of a network, and in which order.
struct PyTorchLayer {
    let kernel: TreeLayout.Leaf
    let bias: TreeLayout.Leaf
    /// The layer's place in an `nn.Sequential` that counts activations, poolings and `nn.Flatten`, too.
    let place: Int
    /// [outputs, inputs] of `nn.Linear`, or [outputs, channels, height, width] of `nn.Conv2d`.
    let weightShape: [Int]

    private let outputs: Int
    /// For each of our inputs of an output, its place among PyTorch's.
    private let inputOrder: [Int]

    /// Our kernel is [inputs, outputs], with the inputs in the order of an image: row, column, channel. PyTorch's
    /// weight is [outputs, inputs], with inputs in the order channel, row, column.
    ///
    /// - Parameter image: the height, width and channels that the inputs are laid out by; nil for a plain vector.
    init(
        kernel: TreeLayout.Leaf, bias: TreeLayout.Leaf, place: Int,
        image: (height: Int, width: Int, channels: Int)?, isConvolution: Bool
    ) {
        self.kernel = kernel
        self.bias = bias
        outputs = kernel.shape[1]
        self.place = place
        if let image {
            let size = image.height * image.width
            inputOrder = (0..<size * image.channels).map { index in
                index % image.channels * size + index / image.channels
            }
        } else {
            inputOrder = Array(0..<kernel.shape[0])
        }
        if isConvolution, let image {
            weightShape = [outputs, image.channels, image.height, image.width]
        } else {
            weightShape = [outputs, kernel.shape[0]]
        }
    }

    /// A weight of ``weightShape`` in the order of our kernel.
    func kernel(fromWeight weight: [Float]) -> [Float] {
        inputOrder.flatMap { input in (0..<outputs).map { weight[$0 * inputOrder.count + input] } }
    }

    /// A kernel in the order of a weight of ``weightShape``.
    func weight(fromKernel kernel: ArraySlice<Float>) -> [Float] {
        var weight = [Float](repeating: 0, count: kernel.count)
        for (index, value) in kernel.enumerated() {
            weight[index % outputs * inputOrder.count + inputOrder[index / outputs]] = value
        }
        return weight
    }
}

extension Network {
    /// The layers that have parameters, in their order; nil if there are others than dense layers, convolutions and
    /// pooling, which have no counterpart of the same layout.
    var pyTorchLayers: [PyTorchLayer]? {
        var layers: [PyTorchLayer] = []
        var place = 0
        var image: (height: Int, width: Int, channels: Int)?
        if case .image(let height, let width, let channels) = architecture.input { image = (height, width, channels) }
        for (name, layer) in stack.layers {
            let activation: Activation
            let leaves = name.map { name in
                ["kernel", "bias"].compactMap { layout[TreePath([name, $0])] }
            }
            switch (layer, leaves) {
            case (let dense as Dense, let leaves?) where leaves.count == 2:
                // An `nn.Flatten` comes before the first dense layer after an image.
                if image != nil { place += 1 }
                layers.append(
                    PyTorchLayer(
                        kernel: leaves[0], bias: leaves[1], place: place, image: image, isConvolution: false))
                image = nil
                activation = dense.activation
            case (let convolution as Convolution, let leaves?) where leaves.count == 2:
                guard let (height, width, channels) = image else { return nil }
                let window = ImageWindow(
                    height: height, width: width, channels: channels, size: convolution.size,
                    stride: convolution.stride, padding: convolution.padding)
                layers.append(
                    PyTorchLayer(
                        kernel: leaves[0], bias: leaves[1], place: place,
                        image: (window.size, window.size, window.channels), isConvolution: true))
                image = (window.outputHeight, window.outputWidth, leaves[0].shape[1])
                activation = convolution.activation
            case (let pool as Pool, _):
                guard let (height, width, channels) = image else { return nil }
                let window = ImageWindow(
                    height: height, width: width, channels: channels, size: pool.size, stride: pool.stride, padding: 0)
                image = (window.outputHeight, window.outputWidth, channels)
                activation = .identity
            case (is Dropout, _): activation = .identity
            default: return nil
            }
            place += activation == .identity ? 1 : 2
        }
        return layers
    }
}
