import Requirements

/// Images that are shifted at random, and mirrored from left to right if that is asked for.
///
/// A shift moves the image by up to `shift` pixels in both directions, each of the (2·shift + 1)² with the same chance;
/// what moves in from outside is zero.
public struct ImageAugmentation: Augmentation, Codable, Hashable {
    /// K, the number of copies of each example, at least 1.
    public let count: Int
    /// The rows of an image.
    public let height: Int
    /// The columns of an image.
    public let width: Int
    /// The numbers of a pixel.
    public let channels: Int
    /// The most pixels that an image is moved by along each side.
    public let shift: Int
    /// Whether half of the copies are mirrored.
    public let flip: Bool

    /// Throws `DatasetError.invalidAugmentation` unless K and the shape are at least 1, and the shift lies in
    /// 0..<min(height, width).
    public init(
        count: Int, height: Int, width: Int, channels: Int = 1, shift: Int, flip: Bool = false
    ) throws(DatasetError) {
        for (name, value) in [("count", count), ("height", height), ("width", width), ("channels", channels)]
        where value < 1 || value > 1 << 20 {
            throw .invalidAugmentation(name: name, value: value, allowed: "1 to 1048576")
        }
        if !(0..<min(height, width)).contains(shift) {
            throw .invalidAugmentation(name: "shift", value: shift, allowed: "0 to \(min(height, width) - 1)")
        }
        (self.count, self.height, self.width, self.channels) = (count, height, width, channels)
        (self.shift, self.flip) = (shift, flip)
    }

    private enum CodingKeys: CodingKey, CaseIterable {
        case count, height, width, channels, shift, flip
    }

    /// Reads what is written. Throws `DecodingError` for unknown keys and numbers out of range.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        do {
            try self.init(
                count: box.decode(Int.self, forKey: .count), height: box.decode(Int.self, forKey: .height),
                width: box.decode(Int.self, forKey: .width),
                channels: box.decodeIfPresent(Int.self, forKey: .channels) ?? 1,
                shift: box.decodeIfPresent(Int.self, forKey: .shift) ?? 0,
                flip: box.decodeIfPresent(Bool.self, forKey: .flip) ?? false)
        } catch let error as DatasetError {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: box.codingPath, debugDescription: error.description))
        }
    }

    /// Moves the image, and mirrors it. Traps unless it has as many numbers as the shape says.
    public func change(_ features: inout MutableSpan<Float>, drawing generator: inout ExampleGenerator) {
        require(
            features.count == height * width * channels,
            "\(features.count) features are no image of \(height) × \(width) × \(channels).")
        let down = Int.random(in: -shift...shift, using: &generator)
        let right = Int.random(in: -shift...shift, using: &generator)
        let isMirrored = flip && Bool.random(using: &generator)
        if down == 0, right == 0, !isMirrored { return }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: features.count) { copy in
            for index in 0..<features.count { copy[index] = features[index] }
            for row in 0..<height {
                for column in 0..<width {
                    let (sourceRow, shifted) = (row - down, column - right)
                    let sourceColumn = isMirrored ? width - 1 - shifted : shifted
                    let isInside = (0..<height).contains(sourceRow) && (0..<width).contains(sourceColumn)
                    let (target, source) = (
                        (row * width + column) * channels, (sourceRow * width + sourceColumn) * channels
                    )
                    for channel in 0..<channels { features[target + channel] = isInside ? copy[source + channel] : 0 }
                }
            }
        }
    }

    /// Throws `invalidAugmentation` unless an image has so many numbers.
    public func check(featureCount: Int) throws(DatasetError) {
        if featureCount != height * width * channels {
            throw .invalidAugmentation(
                name: "height · width · channels", value: height * width * channels,
                allowed: "\(featureCount), the features of the data")
        }
    }
}
