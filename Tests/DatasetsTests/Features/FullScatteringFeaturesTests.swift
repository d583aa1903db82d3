import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct FullScatteringFeaturesTests {
    private static func images(_ count: Int, height: Int, width: Int) -> Matrix {
        var generator = SeededGenerator(seed: 11)
        return Matrix(
            rows: count, columns: height * width,
            elements: (0..<count * height * width).map { _ in Float.random(in: 0...1, using: &generator) })
    }

    private static func row(_ matrix: Matrix, _ row: Int) -> [Double] {
        matrix.withRow(row) { row in row.indices.map { Double(row[$0]) } }
    }

    /// What the channel of a feature is multiplied by.
    private static func factor(_ index: Int) -> Double { [1, 4, 16][index % 81 == 0 ? 0 : index % 81 < 17 ? 1 : 2] }

    /// Before factors. Float32 sums of at most 625 products, Σ|ψ| ≤ 2 and pixels ≤ 1: γ₆₂₇·2 < 8e-5. A second layer
    /// takes what the first is off by twice, and is off by as much itself; means add γ₂₆ twice.
    private static let tolerance = 3e-4

    @Test(arguments: [(8, 12), (28, 28), (4, 4)])
    func theyAreWhatTheDefinitionSays(height: Int, width: Int) throws {
        let map = try FullScatteringFeatures(height: height, width: width)
        let images = Self.images(1, height: height, width: width)
        let features = map.features(of: images)
        #expect(features.columns == map.featureCount)
        #expect(map.featureCount == 81 * height * width / 16)
        let definition = FullScatteringDefinition(height: height, width: width)
        let expected = definition.features(of: Self.row(images, 0))
        let found = Self.row(features, 0)
        func difference(_ others: [Double]) -> Double {
            found.indices.map { abs(found[$0] - others[$0]) / Self.factor($0) }.max()!
        }
        #expect(difference(expected) < Self.tolerance)
        // The broken twin: orientations of the second layer in the other order.
        let wrong = expected.indices.map { index -> Double in
            let (line, wave) = ((index % 81 - 17) / 8, (index % 81 - 17) % 8)
            return index % 81 < 17 ? expected[index] : expected[index / 81 * 81 + 17 + 8 * line + 7 - wave]
        }
        #expect(difference(wrong) > Self.tolerance)
    }

    /// Pixels in [0, 1] give features between 0 and their factor, and an image of one grey has it as its mean, and no
    /// waves.
    @Test func featuresStayWithinTheirBounds() throws {
        let map = try FullScatteringFeatures(height: 28, width: 28)
        let features = Self.row(map.features(of: Self.images(1, height: 28, width: 28)), 0)
        #expect(features.indices.allSatisfy { features[$0] >= 0 && features[$0] <= Self.factor($0) })
        let grey = Matrix(rows: 1, columns: 784, elements: [Float](repeating: 0.5, count: 784))
        for (index, feature) in Self.row(map.features(of: grey), 0).enumerated() {
            #expect(abs(feature - (index % 81 == 0 ? 0.5 : 0)) < Self.tolerance * Self.factor(index))
        }
    }

    /// A figure that is moved by a block has its features moved by a place.
    @Test func featuresMoveWithTheImage() throws {
        let map = try FullScatteringFeatures(height: 64, width: 64)
        var generator = SeededGenerator(seed: 4)
        // What a place sees ends 25 + 7 pixels from its centre: the figure and its copy are seen by no edge.
        let figure = (0..<36).map { _ in Float.random(in: 0...1, using: &generator) }
        var images = Matrix(rows: 2, columns: 4096)
        for (row, shift) in [0, 4].enumerated() {
            for pixel in 0..<36 { images[row, (29 + pixel / 6) * 64 + 27 + shift + pixel % 6] = figure[pixel] }
        }
        let features = map.features(of: images)
        let (first, second) = (Self.row(features, 0), Self.row(features, 1))
        var largest = 0.0
        for y in 0..<16 {
            for x in 0..<15 {
                for channel in 0..<81 {
                    let (here, moved) = (first[(y * 16 + x) * 81 + channel], second[(y * 16 + x + 1) * 81 + channel])
                    #expect(abs(here - moved) < 2e-5)
                    largest = max(largest, abs(here - second[(y * 16 + x) * 81 + channel]))
                }
            }
        }
        // Not moved, they are others.
        #expect(largest > 1e-3)
    }

    /// **Guarantee:** an example's features are a function of its own pixels.
    @Test(arguments: [nil, 27]) func otherExamplesDoNotMatter(groups: Int?) throws {
        let map = try FullScatteringFeatures(height: 8, width: 8, groups: groups)
        var images = Self.images(5, height: 8, width: 8)
        let before = map.features(of: images)
        for column in 0..<64 { images[2, column] = .nan }
        let after = map.features(of: images)
        for row in [0, 1, 3, 4] {
            for column in 0..<map.featureCount { #expect(before[row, column] == after[row, column]) }
        }
        #expect(after[2, 0].isNaN)
    }

    @Test(arguments: [1, 27, 81]) func groupsAreNormalised(groups: Int) throws {
        let images = Self.images(1, height: 8, width: 12)
        let plain = Self.row(try FullScatteringFeatures(height: 8, width: 12).features(of: images), 0)
        let found = Self.row(try FullScatteringFeatures(height: 8, width: 12, groups: groups).features(of: images), 0)
        let width = 81 / groups
        for group in 0..<groups {
            let own = plain.indices.filter { $0 % 81 / width == group }
            let mean = own.reduce(0) { $0 + plain[$1] } / Double(own.count)
            let square = own.reduce(0) { $0 + (plain[$1] - mean) * (plain[$1] - mean) } / Double(own.count)
            for index in own {
                let expected = (plain[index] - mean) / (square + 1e-5).squareRoot()
                // Rounded once, to Float32.
                #expect(abs(found[index] - expected) <= 1e-7 * abs(expected) + 1e-9)
            }
        }
    }

    @Test func shapesAreChecked() throws {
        for (height, width) in [(0, 4), (6, 8), (8, 1028), (-4, 4)] {
            #expect(throws: FeatureMapError.self) { try FullScatteringFeatures(height: height, width: width) }
        }
        for groups in [0, -3, 2, 80, 162] {
            #expect(throws: FeatureMapError.self) { try FullScatteringFeatures(height: 8, width: 8, groups: groups) }
        }
        for groups in [nil, 27] {
            let map = try FullScatteringFeatures(height: 8, width: 12, groups: groups)
            let data = try JSONEncoder().encode(map)
            #expect(try JSONDecoder().decode(FullScatteringFeatures.self, from: data) == map)
        }
        #expect(throws: FeatureMapError.self) {
            try JSONDecoder().decode(FullScatteringFeatures.self, from: Data(#"{"height": 7, "width": 8}"#.utf8))
        }
    }

    @Test func otherInputsTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = try FullScatteringFeatures(height: 8, width: 8).features(of: Matrix(rows: 1, columns: 63))
        }
    }
}

/// The definition, written down once more in Float64: filter by filter, place by place.
private struct FullScatteringDefinition {
    let height: Int
    let width: Int

    private func wavelet(_ orientation: Int, half: Int, sigma: Double, frequency: Double) -> [(re: Double, im: Double)]
    {
        let theta = Double.pi * Double(orientation) / 8
        let places = (-half...half).flatMap { y in (-half...half).map { x in (Double(x), Double(y)) } }
        let turned = places.map { ($0 * cos(theta) + $1 * sin(theta), $1 * cos(theta) - $0 * sin(theta)) }
        let window = turned.map { exp(-($0 * $0 + 0.25 * $1 * $1) / (2 * sigma * sigma)) }
        let total = window.reduce(0, +)
        let kappa = zip(window, turned).reduce(0) { $0 + $1.0 * cos(frequency * $1.1.0) } / total
        return zip(window, turned).map {
            ($0 / total * (cos(frequency * $1.0) - kappa), $0 / total * sin(frequency * $1.0))
        }
    }

    private func mirrored(_ index: Int, _ count: Int) -> Int {
        var index = index
        while !(0..<count).contains(index) { index = index < 0 ? -index : 2 * (count - 1) - index }
        return index
    }

    private func modulus(_ plane: [Double], scale: Int, orientation: Int) -> [Double] {
        let (half, step) = scale == 0 ? (6, 1) : (12, 2)
        let filter = wavelet(
            orientation, half: half, sigma: scale == 0 ? 0.8 : 1.6, frequency: (scale == 0 ? 3 : 1.5) * .pi / 4)
        return stride(from: 0, to: height, by: step).flatMap { y in
            stride(from: 0, to: width, by: step).map { x in
                var (re, im, index) = (0.0, 0.0, 0)
                for dy in -half...half {
                    for dx in -half...half {
                        let pixel = plane[mirrored(y + dy, height) * width + mirrored(x + dx, width)]
                        re += filter[index].re * pixel
                        im += filter[index].im * pixel
                        index += 1
                    }
                }
                return (re * re + im * im).squareRoot()
            }
        }
    }

    private func mean(_ plane: [Double], spacing: Int) -> [Double] {
        let columns = width / spacing
        return (0..<height / 4).flatMap { row in
            (0..<width / 4).map { column in
                var (sum, total) = (0.0, 0.0)
                for (index, value) in plane.enumerated() {
                    let dy = Double(index / columns * spacing) - Double(4 * row) - 1.5
                    let dx = Double(index % columns * spacing) - Double(4 * column) - 1.5
                    guard abs(dy) <= 6.4, abs(dx) <= 6.4 else { continue }
                    let weight = exp(-(dx * dx + dy * dy) / (2 * 1.6 * 1.6))
                    sum += weight * value
                    total += weight
                }
                return sum / total
            }
        }
    }

    func features(of pixels: [Double]) -> [Double] {
        let lines = (0..<8).map { modulus(pixels, scale: 0, orientation: $0) }
        let channels =
            [mean(pixels, spacing: 1)] + lines.map { mean($0, spacing: 1) }
            + (0..<8).map { mean(modulus(pixels, scale: 1, orientation: $0), spacing: 2) }
            + lines.flatMap { line in (0..<8).map { mean(modulus(line, scale: 1, orientation: $0), spacing: 2) } }
        let factors = [1] + [Double](repeating: 4, count: 16) + [Double](repeating: 16, count: 64)
        return (0..<height * width / 16).flatMap { place in zip(channels, factors).map { $0[place] * $1 } }
    }
}
