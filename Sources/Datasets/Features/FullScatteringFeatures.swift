import LinearAlgebra
import Requirements

/// The wavelet scattering of images at two scales and eight orientations, to its second layer: 81 numbers for each
/// block of 4 × 4 pixels.
///
/// | channel | is |
/// |---|---|
/// | 0 | x ⋆ φ |
/// | 1 + l | 4·\|x ⋆ ψ_{0,l}\| ⋆ φ |
/// | 9 + l | 4·\|x ⋆ ψ_{1,l}\| ⋆ φ |
/// | 17 + 8l + k | 16·\|\|x ⋆ ψ_{0,l}\| ⋆ ψ_{1,k}\| ⋆ φ |
///
/// for l, k in 0..<8, each at (height/4) × (width/4) places, row by row, a place's channels beside each other. ψ_{0,l}
/// are `MorletFilters` of σ = 0.8 and ξ = 3π/4 on 13 × 13 pixels, ψ_{1,l} of σ = 1.6 and ξ = 3π/8 on 25 × 25, taken
/// at every second pixel; φ is a `GaussianLowPass` of σ = 1.6. Images go on beyond their edges as in a mirror. The
/// factors make up for what a wavelet leaves of most images: without them, noise on all channels together, as that of a
/// normalization, would drown the second layer.
///
/// With `groups`, the channels are cut into so many groups of neighbours, and each group's numbers, at all places
/// together, become (z − mean) / √(variance + 10⁻⁵), image by image: a group normalisation that costs no privacy.
/// Without it, a `PrivateNormalization` makes channels comparable.
///
/// **Guarantee:** the filters are constants, and an example's features are a function of its own pixels, in every bit:
/// not of the number of images, nor of the number of threads.
///
/// **Bounds:** pixels in [0, 1] give features between 0 and their factor, without groups: the low-pass is a mean, Σψ =
/// 0 and Σ|ψ| ≤ 2.
///
/// Source: Bruna and Mallat, arXiv 1203.1513; for private training Tramèr and Boneh, arXiv 2011.11660, section 3.
public struct FullScatteringFeatures: FeatureMap {
    /// The number of rows of an image, a multiple of 4.
    public let height: Int
    /// The number of columns of an image, a multiple of 4.
    public let width: Int
    /// How many groups of channels are normalised; nil for none.
    public let groups: Int?

    /// 81.
    public static let channelCount = 1 + 2 * MorletFilters.orientations + second
    private static let second = MorletFilters.orientations * MorletFilters.orientations
    /// Pixels of a block's side: from one place to the next.
    private static let block = 4

    private let fine = WaveletBank(MorletFilters(size: 13, sigma: 0.8, frequency: 3 * .pi / 4), stride: 1)
    private let coarse = WaveletBank(MorletFilters(size: 25, sigma: 1.6, frequency: 3 * .pi / 8), stride: 2)
    private let lowPass: GaussianLowPass
    private let halfLowPass: GaussianLowPass

    /// Features of images of `height` rows and `width` columns.
    ///
    /// Throws ``FeatureMapError/outOfRange(name:value:allowed:)`` unless both are multiples of 4 between 4 and 1024,
    /// and `groups`, if there are any, divides 81.
    public init(height: Int, width: Int, groups: Int? = nil) throws(FeatureMapError) {
        for (name, value) in [("height", height), ("width", width)] {
            guard value.isMultiple(of: Self.block), (4...1024).contains(value) else {
                throw .outOfRange(name: name, value: "\(value)", allowed: "a multiple of 4 between 4 and 1024")
            }
        }
        if let groups, groups < 1 || !Self.channelCount.isMultiple(of: groups) {
            throw .outOfRange(name: "number of groups", value: "\(groups)", allowed: "1, 3, 9, 27 or 81")
        }
        self.height = height
        self.width = width
        self.groups = groups
        let image = Plane(height: height, width: width)
        lowPass = GaussianLowPass(image, sigma: 1.6, spacing: 1, block: Self.block)
        halfLowPass = GaussianLowPass(image, sigma: 1.6, spacing: 2, block: Self.block)
    }

    /// height · width.
    public var inputCount: Int { height * width }

    /// 81 for each block of 4 × 4 pixels.
    public var featureCount: Int { Self.channelCount * height * width / (Self.block * Self.block) }

    /// Memory for the convolutions.
    public func makeScratch() -> FullScatteringScratch { FullScatteringScratch() }

    /// Writes the features of one image. About 29,000 multiplications a pixel.
    public func writeFeatures(
        of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout FullScatteringScratch
    ) {
        require(
            input.count == inputCount && features.count == featureCount,
            "\(input.count) inputs and \(features.count) features are not those of an image of \(height) × \(width).")
        input.withUnsafeBufferPointer { pixels in
            features.withUnsafeMutableBufferPointer { features in
                transform(pixels, into: features, &scratch)
                if let groups { Self.normalize(features, groups: groups) }
            }
        }
    }

    private func transform(
        _ pixels: UnsafeBufferPointer<Float>, into features: UnsafeMutableBufferPointer<Float>,
        _ scratch: inout FullScatteringScratch
    ) {
        let image = Plane(height: height, width: width)
        let (orientations, total) = (MorletFilters.orientations, Self.channelCount)
        lowPass.apply(to: pixels, channels: 1, into: features, at: 0, outOf: total, times: 1, &scratch.rows)
        coarse.modulus(of: pixels, image, into: &scratch.moduli, &scratch.convolution)
        scratch.moduli.withUnsafeBufferPointer {
            halfLowPass.apply(
                to: $0, channels: orientations, into: features, at: 1 + orientations, outOf: total, times: 4,
                &scratch.rows)
        }
        fine.modulus(of: pixels, image, into: &scratch.lines, &scratch.convolution)
        scratch.lines.withUnsafeBufferPointer {
            lowPass.apply(
                to: $0, channels: orientations, into: features, at: 1, outOf: total, times: 4, &scratch.rows)
        }
        scratch.line.resize(image.count)
        for orientation in 0..<orientations {
            for place in 0..<image.count {
                scratch.line[place] = scratch.lines[place * orientations + orientation]
            }
            scratch.line.withUnsafeBufferPointer {
                coarse.modulus(of: $0, image, into: &scratch.moduli, &scratch.convolution)
            }
            scratch.moduli.withUnsafeBufferPointer {
                halfLowPass.apply(
                    to: $0, channels: orientations, into: features, at: 1 + (2 + orientation) * orientations,
                    outOf: total, times: 16, &scratch.rows)
            }
        }
    }

    /// z ↦ (z − mean) / √(mean square + 10⁻⁵) over the places and channels of each group, in Float64.
    private static func normalize(_ values: UnsafeMutableBufferPointer<Float>, groups: Int) {
        let width = channelCount / groups
        let count = Double(values.count / groups)
        for first in stride(from: 0, to: channelCount, by: width) {
            func sum(_ term: (Double) -> Double) -> Double {
                var sum = 0.0
                for place in stride(from: first, to: values.count, by: channelCount) {
                    for index in place..<place + width { sum += term(Double(values[index])) }
                }
                return sum
            }
            let mean = sum { $0 } / count
            let square = sum { ($0 - mean) * ($0 - mean) } / count
            let factor = 1 / (square + 1e-5).squareRoot()
            for place in stride(from: first, to: values.count, by: channelCount) {
                for index in place..<place + width { values[index] = Float((Double(values[index]) - mean) * factor) }
            }
        }
    }
}

/// Memory of a full scattering that is reused from one image to the next. Every element is written before it is read.
public struct FullScatteringScratch {
    var convolution = ConvolutionScratch()
    var lines: [Float] = []
    var line: [Float] = []
    var moduli: [Float] = []
    var rows: [Float] = []
}

extension FullScatteringFeatures: Hashable {
    /// Whether both make the same features.
    public static func == (first: Self, second: Self) -> Bool {
        first.height == second.height && first.width == second.width && first.groups == second.groups
    }

    /// Hashes the shape of the images, and the groups.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(height)
        hasher.combine(width)
        hasher.combine(groups)
    }
}

extension FullScatteringFeatures {
    private enum CodingKeys: CodingKey {
        case height, width, groups
    }

    /// Reads the shape of the images, and the groups; throws ``FeatureMapError`` as making the map would.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            height: box.decode(Int.self, forKey: .height), width: box.decode(Int.self, forKey: .width),
            groups: box.decodeIfPresent(Int.self, forKey: .groups))
    }

    /// Writes the shape of the images, and the groups: the filters are the same for all.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(height, forKey: .height)
        try box.encode(width, forKey: .width)
        try box.encodeIfPresent(groups, forKey: .groups)
    }
}
