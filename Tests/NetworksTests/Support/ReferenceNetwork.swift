import Datasets
import Foundation

@testable import Networks

/// The forward pass of a network in Float64, by loops that follow the definitions: no patches, no products of matrices.
struct ReferenceNetwork {
    let architecture: NetworkArchitecture
    /// Replaces every term by its magnitude: kernels and inputs by absolute values, activations by the line
    /// Lipschitz · |z| + |f(0)|, the maximum of a window by the sum, and the loss by `errorBound` · Σ outputs. The
    /// derivative of that is a bound on the sum of the magnitudes of all terms that make up the network's own
    /// derivative.
    var errorBound: Double?
    /// Whether magnitudes of a maximum are sums, as a bound on derivatives needs, or maxima, which bound the numbers.
    var addsMaxima = true

    private var isMagnitude: Bool { errorBound != nil }

    private struct Image {
        var height: Int
        var width: Int
        var channels: Int
        var values: [Double]

        func value(_ row: Int, _ column: Int, _ channel: Int) -> Double {
            row < 0 || row >= height || column < 0 || column >= width
                ? 0 : values[(row * width + column) * channels + channel]
        }
    }

    /// The outputs, and the largest number that went into an activation.
    func outputs(_ input: [Double], _ parameters: [Double]) -> (outputs: [Double], largest: Double) {
        let parameters = isMagnitude ? parameters.map { abs($0) } : parameters
        var values = isMagnitude ? input.map { abs($0) } : input
        var image = Image(height: 1, width: 1, channels: values.count, values: values)
        if case .image(let height, let width, let channels) = architecture.input {
            image = Image(height: height, width: width, channels: channels, values: values)
        }
        var largest = 0.0
        var next = 0
        for layer in architecture.layers {
            switch layer.reference {
            case .dense(let outputs, let activation):
                let kernel = next
                let bias = kernel + values.count * outputs
                next = bias + outputs
                values = (0..<outputs).map { o in
                    let z = values.indices.reduce(parameters[bias + o]) {
                        $0 + values[$1] * parameters[kernel + $1 * outputs + o]
                    }
                    largest = max(largest, abs(z))
                    return apply(activation, z)
                }
                image = Image(height: 1, width: 1, channels: outputs, values: values)
            case .convolution(let outputs, let size, let stride, let padding, let activation):
                let kernel = next
                let bias = kernel + size * size * image.channels * outputs
                next = bias + outputs
                image = slide(image, outputs, size, stride, padding) { row, column, o in
                    var z = parameters[bias + o]
                    for i in 0..<size {
                        for j in 0..<size {
                            for c in 0..<image.channels {
                                z +=
                                    image.value(row + i, column + j, c)
                                    * parameters[kernel + ((i * size + j) * image.channels + c) * outputs + o]
                            }
                        }
                    }
                    largest = max(largest, abs(z))
                    return apply(activation, z)
                }
                values = image.values
            case .pooling(let pooling, let size, let stride):
                image = slide(image, image.channels, size, stride, 0) { row, column, c in
                    let window = (0..<size * size).map { image.value(row + $0 / size, column + $0 % size, c) }
                    if pooling == .average { return window.reduce(0, +) / Double(size * size) }
                    return isMagnitude && addsMaxima ? window.reduce(0, +) : window.max()!
                }
                values = image.values
            }
        }
        return (values, largest)
    }

    private func slide(
        _ image: Image, _ outputs: Int, _ size: Int, _ stride: Int, _ padding: Int,
        _ body: (_ row: Int, _ column: Int, _ output: Int) -> Double
    ) -> Image {
        let height = (image.height + 2 * padding - size) / stride + 1
        let width = (image.width + 2 * padding - size) / stride + 1
        var values: [Double] = []
        for row in 0..<height {
            for column in 0..<width {
                for output in 0..<outputs {
                    values.append(body(row * stride - padding, column * stride - padding, output))
                }
            }
        }
        return Image(height: height, width: width, channels: outputs, values: values)
    }

    private func apply(_ activation: Activation, _ z: Double) -> Double {
        if isMagnitude { return activation.lipschitz * z + abs(activation.value(0)) }
        return activation.value(z)
    }

    func loss(_ input: [Double], _ target: Target, _ parameters: [Double]) -> Double {
        let outputs = outputs(input, parameters).outputs
        if let errorBound { return errorBound * outputs.reduce(0, +) }
        switch (architecture.loss, target) {
        case (.squaredError, .values(let values)):
            return zip(outputs, values).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) } / 2
        case (.logistic, .class(let target)):
            return log(1 + exp(outputs[0])) - Double(target) * outputs[0]
        case (.softmaxCrossEntropy, .class(let target)):
            return log(outputs.reduce(0) { $0 + exp($1) }) - outputs[target]
        default: preconditionFailure("Targets do not fit the loss.")
        }
    }

    /// Central differences of the loss by each parameter.
    func gradient(_ input: [Double], _ target: Target, _ parameters: [Double], step: Double = 1e-5) -> [Double] {
        parameters.indices.map { index in
            var (above, below) = (parameters, parameters)
            above[index] += step
            below[index] -= step
            return (loss(input, target, above) - loss(input, target, below)) / (2 * step)
        }
    }
}

extension Activation {
    func value(_ x: Double) -> Double {
        switch self {
        case .identity: x
        case .relu: max(x, 0)
        case .tanh: Foundation.tanh(x)
        case .gelu: x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
        case .temperedSigmoid(let scale, let temperature, let offset):
            Double(scale) / (1 + exp(-Double(temperature) * x)) - Double(offset)
        }
    }

    /// A bound on |f′|.
    var lipschitz: Double {
        switch self {
        case .identity, .relu, .tanh: 1
        case .gelu: 1.13
        case .temperedSigmoid(let scale, let temperature, _): Double(scale * temperature) / 4
        }
    }

    /// A bound on |f″| over the bound on |f′|.
    var curvature: Double {
        switch self {
        case .identity, .relu: 0
        case .tanh: 0.77
        case .gelu: 1.0
        case .temperedSigmoid(_, let temperature, _): 0.39 * Double(temperature)
        }
    }
}

/// The layers that the reference knows.
enum ReferenceLayer {
    case dense(outputs: Int, activation: Activation)
    case convolution(outputs: Int, size: Int, stride: Int, padding: Int, activation: Activation)
    case pooling(Pooling, size: Int, stride: Int)
}

extension NetworkArchitecture.Layer {
    var reference: ReferenceLayer {
        switch blueprint {
        case let dense as DenseBlueprint: .dense(outputs: dense.outputs, activation: dense.activation)
        case let layer as ConvolutionBlueprint:
            .convolution(
                outputs: layer.outputs, size: layer.size, stride: layer.stride, padding: layer.padding,
                activation: layer.activation)
        case let pool as PoolBlueprint: .pooling(pool.pooling, size: pool.size, stride: pool.stride)
        default: preconditionFailure("The reference knows no \(blueprint).")
        }
    }
}
