import LinearAlgebra
import Requirements

/// A two-layer wavelet scattering of small grey images: what their strokes look like, place by place, in features that
/// a linear model learns from.
///
/// | group | is | numbers |
/// |---|---|---|
/// | 0 | the image | h·w |
/// | 1 | \|x ⋆ ψ_l\| at the fine scale | 8·h·w |
/// | 2 | \|x ⋆ ψ_l\| at the coarse scale | 8·h·w |
/// | 3 | \|\|x ⋆ ψ_l\| ⋆ ψ_k\| at half the resolution, k along and across l | 16·h·w |
///
/// each averaged over blocks of 4 × 4 pixels, h = height/4 and w = width/4, a place's channels beside each other. Every
/// group is then centred and divided by its own root mean square, √(var + 10⁻⁵), example by example. The wavelets are
/// `MorletFilters` of 9 × 9 pixels (σ = 0.8, ξ = 3π/4) and 13 × 13 (σ = 1.6, ξ = 3π/8).
///
/// **Guarantee:** the filters are constants, and an example's features are a function of its own pixels, in every bit:
/// not of the number of images, nor of the number of threads.
///
/// Source: Bruna and Mallat, arXiv 1203.1513; for private training Tramèr and Boneh, arXiv 2011.11660. This is a
/// part of the usual transform: block averages in the place of Gaussian low-passes, and two of the eight second-layer
/// orientations.
public struct ScatteringFeatures: FeatureMap, Hashable {
    /// The number of rows of an image, a multiple of 4.
    public let height: Int
    /// The number of columns of an image, a multiple of 4.
    public let width: Int

    private let fine = MorletFilters(size: 9, sigma: 0.8, frequency: 3 * .pi / 4)
    private let coarse = MorletFilters(size: 13, sigma: 1.6, frequency: 3 * .pi / 8)
    /// For each orientation, the fine filters along and across it.
    private let second: [[Float]]

    private static var orientations: Int { MorletFilters.orientations }

    /// Features of images of `height` rows and `width` columns.
    ///
    /// Throws ``FeatureMapError/outOfRange(name:value:allowed:)`` unless both are multiples of 4 between 4 and 1024.
    public init(height: Int, width: Int) throws(FeatureMapError) {
        for (name, value) in [("height", height), ("width", width)] {
            guard value.isMultiple(of: 4), (4...1024).contains(value) else {
                throw .outOfRange(name: name, value: "\(value)", allowed: "a multiple of 4 between 4 and 1024")
            }
        }
        self.height = height
        self.width = width
        second = (0..<Self.orientations).map { [fine] in
            fine.columns([$0, ($0 + Self.orientations / 2) % Self.orientations])
        }
    }

    /// height · width.
    public var inputCount: Int { height * width }

    /// 33 for each block of 4 × 4 pixels.
    public var featureCount: Int { groupSizes.reduce(0, +) }

    private var groupSizes: [Int] { [1, 8, 8, 16].map { $0 * height * width / 16 } }

    /// Memory for the convolutions.
    public func makeScratch() -> ScatteringScratch { ScatteringScratch() }

    /// Writes the features of one image. About 5,000 operations a pixel.
    public func writeFeatures(
        of input: Span<Float>, to features: inout MutableSpan<Float>, scratch: inout ScatteringScratch
    ) {
        require(
            input.count == inputCount && features.count == featureCount,
            "\(input.count) inputs and \(features.count) features are not those of an image of \(height) × \(width).")
        input.withUnsafeBufferPointer { pixels in
            features.withUnsafeMutableBufferPointer { transform(pixels, into: $0, &scratch) }
        }
    }

    private func transform(
        _ pixels: UnsafeBufferPointer<Float>, into features: UnsafeMutableBufferPointer<Float>,
        _ scratch: inout ScatteringScratch
    ) {
        let image = Plane(height: height, width: width)
        let half = Plane(height: height / 2, width: width / 2)
        let channels = Self.orientations
        var groups: [UnsafeMutableBufferPointer<Float>] = []
        var begin = 0
        for size in groupSizes {
            groups.append(UnsafeMutableBufferPointer(rebasing: features[begin..<begin + size]))
            begin += size
        }
        image.average(pixels, channels: 1, block: 4, into: groups[0])
        scratch.modulus(of: pixels, image, fine.matrix, size: fine.size, stride: 1)
        var lines = [Float](repeating: 0, count: half.count * channels)
        scratch.withModulus { modulus in
            lines.withUnsafeMutableBufferPointer { image.average(modulus, channels: channels, block: 2, into: $0) }
        }
        lines.withUnsafeBufferPointer { half.average($0, channels: channels, block: 2, into: groups[1]) }
        scratch.modulus(of: pixels, image, coarse.matrix, size: coarse.size, stride: 2)
        scratch.withModulus { half.average($0, channels: channels, block: 2, into: groups[2]) }
        var channel = [Float](repeating: 0, count: half.count)
        for orientation in 0..<channels {
            for place in 0..<half.count { channel[place] = lines[place * channels + orientation] }
            channel.withUnsafeBufferPointer {
                scratch.modulus(of: $0, half, second[orientation], size: fine.size, stride: 1)
            }
            scratch.withModulus {
                half.average(
                    $0, channels: 2, block: 2, into: groups[3], at: 2 * orientation, outOf: 2 * channels)
            }
        }
        for group in groups { Self.normalize(group) }
    }

    /// z ↦ (z − mean) / √(mean square + 10⁻⁵), in Float64.
    private static func normalize(_ values: UnsafeMutableBufferPointer<Float>) {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        let square = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
        let factor = 1 / (square + 1e-5).squareRoot()
        for index in values.indices { values[index] = Float((Double(values[index]) - mean) * factor) }
    }
}

extension ScatteringFeatures {
    private enum CodingKeys: CodingKey {
        case height, width
    }

    /// Reads the shape of the images; throws ``FeatureMapError`` as making the map would.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            height: box.decode(Int.self, forKey: .height), width: box.decode(Int.self, forKey: .width))
    }

    /// Writes the shape of the images: the filters are the same for all.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(height, forKey: .height)
        try box.encode(width, forKey: .width)
    }
}
