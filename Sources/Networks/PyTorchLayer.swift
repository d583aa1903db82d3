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
    init(_ map: LinearMap, place: Int, image: (height: Int, width: Int, channels: Int)?, isConvolution: Bool) {
        kernel = map.kernel
        bias = map.bias
        outputs = map.outputs
        self.place = place
        if let image {
            let size = image.height * image.width
            inputOrder = (0..<size * image.channels).map { index in
                index % image.channels * size + index / image.channels
            }
        } else {
            inputOrder = Array(0..<map.inputs)
        }
        if isConvolution, let image {
            weightShape = [map.outputs, image.channels, image.height, image.width]
        } else {
            weightShape = [map.outputs, map.inputs]
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
    /// The layers that have parameters, in their order.
    var pyTorchLayers: [PyTorchLayer] {
        var layers: [PyTorchLayer] = []
        var place = 0
        var image: (height: Int, width: Int, channels: Int)?
        if case .image(let height, let width, let channels) = architecture.input { image = (height, width, channels) }
        for stage in stages {
            switch stage {
            case .dense(let map):
                // An `nn.Flatten` comes before the first dense layer after an image.
                if image != nil { place += 1 }
                layers.append(PyTorchLayer(map, place: place, image: image, isConvolution: false))
                image = nil
            case .convolution(let map, let window):
                layers.append(
                    PyTorchLayer(
                        map, place: place, image: (window.size, window.size, window.channels), isConvolution: true))
                image = (window.outputHeight, window.outputWidth, map.outputs)
            case .pooling(_, let window):
                image = (window.outputHeight, window.outputWidth, window.channels)
            }
            place += stage.activation == .identity ? 1 : 2
        }
        return layers
    }
}
