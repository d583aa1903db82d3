import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct ScatteringFeaturesTests {
    private static func images(_ count: Int, height: Int, width: Int) -> Matrix {
        var generator = SeededGenerator(seed: 11)
        return Matrix(
            rows: count, columns: height * width,
            elements: (0..<count * height * width).map { _ in Float.random(in: 0...1, using: &generator) })
    }

    @Test(arguments: [(8, 12), (28, 28), (4, 4)])
    func theyAreWhatTheDefinitionSays(height: Int, width: Int) throws {
        let map = try ScatteringFeatures(height: height, width: width)
        let images = Self.images(2, height: height, width: width)
        let features = map.features(of: images)
        #expect(features.columns == map.featureCount)
        #expect(map.featureCount == 33 * height * width / 16)
        for row in 0..<2 {
            let pixels = images.withRow(row) { row in row.indices.map { Double(row[$0]) } }
            let expected = ReferenceScattering(height: height, width: width).features(of: pixels)
            let found = features.withRow(row) { row in row.indices.map { Double(row[$0]) } }
            // A correlation sums up to 169 products of filters (Σ|ψ| < 2) and pixels ≤ 1 in Float32: γ₁₇₁·2 ≈ 2e-5; the
            // second layer sums those of the first with Σ|ψ| < 2 again, and a group's norm of at least some hundredths
            // divides them.
            let differences = zip(found, expected).map { abs($0 - $1) }
            #expect(differences.max()! < 2e-3)
            // The broken twin: without the second layer's orientation across.
            var wrong = expected
            let half = wrong.count - 16 * height * width / 16
            for place in stride(from: half + 1, to: wrong.count, by: 2) { wrong[place] = wrong[place - 1] }
            #expect(zip(found, wrong).map { abs($0 - $1) }.max()! > 2e-3)
        }
    }

    /// **Guarantee:** an example's features are a function of its own pixels.
    @Test func otherExamplesDoNotMatter() throws {
        let map = try ScatteringFeatures(height: 8, width: 8)
        var images = Self.images(5, height: 8, width: 8)
        let before = map.features(of: images)
        for column in 0..<64 { images[2, column] = .nan }
        let after = map.features(of: images)
        for row in [0, 1, 3, 4] {
            for column in 0..<map.featureCount { #expect(before[row, column] == after[row, column]) }
        }
        #expect(after[2, 0].isNaN)
    }

    @Test func aBlankImageHasNoFeatures() throws {
        let map = try ScatteringFeatures(height: 8, width: 8)
        #expect(
            map.features(of: Matrix(rows: 1, columns: 64)).withRow(0) { row in row.indices.allSatisfy { row[$0] == 0 } }
        )
    }

    @Test func shapesAreChecked() throws {
        for (height, width) in [(0, 4), (6, 8), (8, 1028), (-4, 4)] {
            #expect(throws: FeatureMapError.self) { try ScatteringFeatures(height: height, width: width) }
        }
        let map = try ScatteringFeatures(height: 8, width: 12)
        let data = try JSONEncoder().encode(map)
        #expect(try JSONDecoder().decode(ScatteringFeatures.self, from: data) == map)
        #expect(throws: FeatureMapError.self) {
            try JSONDecoder().decode(ScatteringFeatures.self, from: Data(#"{"height": 7, "width": 8}"#.utf8))
        }
    }

    @Test func otherInputsTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = try ScatteringFeatures(height: 8, width: 8).features(of: Matrix(rows: 1, columns: 63))
        }
    }
}

/// The definition, written down once more in Float64: filter by filter, place by place.
private struct ReferenceScattering {
    let height: Int
    let width: Int

    private typealias Plane = [[Double]]

    private struct Filter {
        let size: Int
        let re: [[Double]]
        let im: [[Double]]

        init(_ orientation: Int, size: Int, sigma: Double, frequency: Double) {
            let half = size / 2
            let theta = Double.pi * Double(orientation) / 8
            var (window, phase) = (Plane(), Plane())
            for y in -half...half {
                let places = (-half...half).map { x in
                    (
                        u: Double(x) * cos(theta) + Double(y) * sin(theta),
                        v: Double(y) * cos(theta) - Double(x) * sin(theta)
                    )
                }
                window.append(places.map { exp(-($0.u * $0.u + 0.25 * $0.v * $0.v) / (2 * sigma * sigma)) })
                phase.append(places.map { frequency * $0.u })
            }
            let total = window.joined().reduce(0, +)
            window = window.map { $0.map { $0 / total } }
            let kappa = zip(window.joined(), phase.joined()).reduce(0) { $0 + $1.0 * cos($1.1) }
            self.size = size
            re = zip(window, phase).map { zip($0, $1).map { $0 * (cos($1) - kappa) } }
            im = zip(window, phase).map { zip($0, $1).map { $0 * sin($1) } }
        }
    }

    private func modulus(_ plane: Plane, _ filter: Filter, stride step: Int = 1) -> Plane {
        let half = filter.size / 2
        return stride(from: 0, to: plane.count, by: step).map { y in
            stride(from: 0, to: plane[0].count, by: step).map { x in
                var (re, im) = (0.0, 0.0)
                for dy in -half...half where plane.indices.contains(y + dy) {
                    for dx in -half...half where plane[0].indices.contains(x + dx) {
                        re += filter.re[dy + half][dx + half] * plane[y + dy][x + dx]
                        im += filter.im[dy + half][dx + half] * plane[y + dy][x + dx]
                    }
                }
                return (re * re + im * im).squareRoot()
            }
        }
    }

    private func mean(_ plane: Plane, _ block: Int) -> Plane {
        var result: Plane = []
        for y in stride(from: 0, to: plane.count, by: block) {
            var row: [Double] = []
            for x in stride(from: 0, to: plane[0].count, by: block) {
                var sum = 0.0
                for place in 0..<block * block { sum += plane[y + place / block][x + place % block] }
                row.append(sum / Double(block * block))
            }
            result.append(row)
        }
        return result
    }

    func features(of pixels: [Double]) -> [Double] {
        let image = (0..<height).map { Array(pixels[$0 * width..<($0 + 1) * width]) }
        let fine = (0..<8).map { Filter($0, size: 9, sigma: 0.8, frequency: 3 * .pi / 4) }
        let coarse = (0..<8).map { Filter($0, size: 13, sigma: 1.6, frequency: 3 * .pi / 8) }
        let lines = fine.map { mean(modulus(image, $0), 2) }
        let second = (0..<8).flatMap { l in
            [l, (l + 4) % 8].map { mean(modulus(lines[l], fine[$0]), 2) }
        }
        let wide: [Plane] = coarse.map { mean(modulus(image, $0, stride: 2), 2) }
        let groups: [[Plane]] = [[mean(image, 4)], lines.map { mean($0, 2) }, wide, second]
        return groups.flatMap { (channels: [Plane]) -> [Double] in
            let places = 0..<height * width / 16
            let values: [Double] = places.flatMap { place in
                channels.map { (channel: Plane) in channel[place / (width / 4)][place % (width / 4)] }
            }
            let mean = values.reduce(0, +) / Double(values.count)
            let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            return values.map { ($0 - mean) / (square + 1e-5).squareRoot() }
        }
    }
}
