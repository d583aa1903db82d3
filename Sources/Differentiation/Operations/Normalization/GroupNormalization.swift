import PyTrees
import Requirements

/// x̂ ∘ g + b of an image, with mean and variance over all positions and the channels of a group.
struct GroupNormalization: Operation {
    let groups: Int
    let epsilon: Float

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let shape = inputs[0]
        require(shape.count == 3, "A value of shape \(shape) is no image of height × width × channels.")
        require(
            groups >= 1 && shape[2].isMultiple(of: groups) && shape[0] * shape[1] > 0,
            "The channels of an image of shape \(shape) cannot be divided into \(groups) groups.")
        requireFeatureParameters(parameters, of: shape)
        return shape
    }

    /// An example's gradient of the gain.
    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { parameters[0][0] }

    /// Two numbers for each channel that the group's positions share, and two of the way back.
    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int { 4 * parameters[0][0] }

    /// Adds f(c, number) over all positions, channel by channel, and gives each channel its group's mean of it.
    @inline(__always)
    private func writeMeans<S: Real>(
        of image: UnsafeBufferPointer<S>, channels: Int, into means: UnsafeMutablePointer<S>,
        _ term: (_ channel: Int, _ index: Int) -> S
    ) {
        means.update(repeating: 0, count: channels)
        for begin in stride(from: 0, to: image.count, by: channels) {
            for channel in 0..<channels { means[channel] += term(channel, begin + channel) }
        }
        shareMeans(means, channels: channels, numbers: image.count)
    }

    /// Gives each channel the mean of its group, from the channels' sums.
    private func shareMeans<S: Real>(_ sums: UnsafeMutablePointer<S>, channels: Int, numbers: Int) {
        let length = channels / groups
        for first in stride(from: 0, to: channels, by: length) {
            let sum = (first..<first + length).reduce(S.zero) { $0 + sums[$1] }
            (sums + first).update(repeating: sum / S(numbers / groups), count: length)
        }
    }

    /// Writes each channel's mean, and what x − mean is multiplied by.
    @inline(__always)
    private func writeStatistics<S: Real>(
        of image: UnsafeBufferPointer<S>, channels: Int, means: UnsafeMutablePointer<S>,
        factors: UnsafeMutablePointer<S>
    ) {
        writeMeans(of: image, channels: channels, into: means) { _, index in image[index] }
        writeMeans(of: image, channels: channels, into: factors) { channel, index in
            (image[index] - means[channel]) * (image[index] - means[channel])
        }
        for channel in 0..<channels { factors[channel] = 1 / (factors[channel] + S(epsilon)).squareRoot() }
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let channels = pass.parameterShapes[0][0]
        let (gain, bias) = (pass.parameter(0).baseAddress!, pass.parameter(1).baseAddress!)
        pass.withScratch(work: 4 * pass.outputCount) { example, scratch in
            let (image, output) = (pass.input(0, of: example), pass.output(of: example).baseAddress!)
            let (means, factors) = (scratch.baseAddress!, scratch.baseAddress! + channels)
            writeStatistics(of: image, channels: channels, means: means, factors: factors)
            for begin in stride(from: 0, to: image.count, by: channels) {
                for channel in 0..<channels {
                    output[begin + channel] =
                        (image[begin + channel] - means[channel]) * factors[channel] * gain[channel] + bias[channel]
                }
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let channels = pass.forward.parameterShapes[0][0]
        let gain = pass.parameter(0).baseAddress!
        pass.withScratch(work: 8 * pass.forward.outputCount) { example, scratch in
            let (image, errors) = (pass.input(0, of: example), pass.outputGradient(of: example).baseAddress!)
            let (means, factors) = (scratch.baseAddress!, scratch.baseAddress! + channels)
            let (sums, products) = (scratch.baseAddress! + 2 * channels, scratch.baseAddress! + 3 * channels)
            let own = pass.saved(of: example).baseAddress!
            writeStatistics(of: image, channels: channels, means: means, factors: factors)
            own.update(repeating: 0, count: channels)
            sums.update(repeating: 0, count: channels)
            for begin in stride(from: 0, to: image.count, by: channels) {
                for channel in 0..<channels {
                    let error = errors[begin + channel]
                    own[channel] += (image[begin + channel] - means[channel]) * factors[channel] * error
                    sums[channel] += error
                }
            }
            guard let gradient = pass.inputGradient(0, of: example)?.baseAddress else { return }
            for channel in 0..<channels {
                products[channel] = gain[channel] * own[channel]
                sums[channel] *= gain[channel]
            }
            shareMeans(products, channels: channels, numbers: image.count)
            shareMeans(sums, channels: channels, numbers: image.count)
            for begin in stride(from: 0, to: image.count, by: channels) {
                for channel in 0..<channels {
                    let x = (image[begin + channel] - means[channel]) * factors[channel]
                    gradient[begin + channel] =
                        factors[channel]
                        * (gain[channel] * errors[begin + channel] - sums[channel] - x * products[channel])
                }
            }
        }
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let channels = pass.forward.parameterShapes[0][0]
        return [
            .rows(pass.savedNumbers),
            .sums(
                outputGradients: pass.outputGradientBlock(columns: channels),
                positions: pass.forward.outputCount / channels),
        ]
    }
}

extension Value {
    /// (x − mean) / √(variance + ε) ∘ g + b of an image, with mean and variance over all positions and the channels of
    /// a group: `groups` groups of channels that follow each other.
    ///
    /// Source: arXiv 1803.08494. Traps unless the value has the shape `[height, width, channels]` and no padding, the
    /// groups divide the channels, gain and bias have the shape `[channels]`, and ε is above 0.
    public func groupNormalized(gain: Tensor, bias: Tensor, groups: Int, epsilon: Float = 1e-5) -> Value {
        require(mask == nil, "Statistics of an image are of all of its positions, and some of these are padding.")
        require(epsilon > 0, "A normalisation divides by √(variance + ε), and ε is \(epsilon): it has to be above 0.")
        return applying(GroupNormalization(groups: groups, epsilon: epsilon), parameters: [gain, bias])
    }
}
