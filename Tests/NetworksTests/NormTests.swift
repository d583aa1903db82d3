import Foundation
import Testing

@testable import Networks

/// LayerNorm, RMSNorm and GroupNorm.
struct NormTests {
    @Test func layerNormIsWhatItsDefinitionSays() throws {
        let check = try LayerCheck(.sequence(positions: 3, width: 5), [.layerNorm])
        for (example, outputs) in check.outputs.enumerated() {
            expectEqual(outputs, try check.norm(check.rows(example, columns: 5), "norm1").flatMap(\.self))
        }
        try check.expectGradients()
        try check.expectRoundTrip()
    }

    @Test func rmsNormIsWhatItsDefinitionSays() throws {
        let check = try LayerCheck(.features(5), [.rmsNorm, .dense(outputs: 5, activation: .identity), .rmsNorm])
        let gains = [try check.leaf("norm1/gain")[0], try check.leaf("norm2/gain")[0]]
        func norm(_ x: [Double], _ gain: [Double]) -> [Double] {
            let square = x.reduce(0) { $0 + $1 * $1 } / 5
            return zip(x, gain).map { $0 / sqrt(square + Double(Float(1e-5))) * $1 }
        }
        for (example, outputs) in check.outputs.enumerated() {
            let hidden = try check.dense([norm(check.rows(example, columns: 5)[0], gains[0])], "dense1")[0]
            expectEqual(outputs, norm(hidden, gains[1]))
        }
        try check.expectGradients()
        try check.expectRoundTrip()
    }

    @Test(arguments: [1, 2, 4]) func groupNormIsWhatItsDefinitionSays(groups: Int) throws {
        let check = try LayerCheck(.image(height: 2, width: 3, channels: 4), [.groupNorm(groups: groups)])
        let (gain, bias) = (try check.leaf("norm1/gain")[0], try check.leaf("norm1/bias")[0])
        for (example, outputs) in check.outputs.enumerated() {
            let pixels = check.rows(example, columns: 4)
            let expected = pixels.map { pixel in
                pixel.indices.map { channel in
                    let first = channel / (4 / groups) * (4 / groups)
                    let group = pixels.flatMap { $0[first..<first + 4 / groups] }
                    let mean = group.reduce(0, +) / Double(group.count)
                    let variance = group.reduce(0) { $0 + pow($1 - mean, 2) } / Double(group.count)
                    let x = (pixel[channel] - mean) / sqrt(variance + Double(Float(1e-5)))
                    return x * gain[channel] + bias[channel]
                }
            }
            expectEqual(outputs, expected.flatMap(\.self))
        }
        try check.expectGradients()
        try check.expectRoundTrip()
    }

    @Test func whatDoesNotFitIsNamed() {
        let image = NetworkArchitecture.Input.image(height: 2, width: 3, channels: 4)
        #expect(LayerCheck.error(.features(4), [.groupNorm(groups: 1)]) == .noImage(layer: 0))
        #expect(
            LayerCheck.error(image, [.groupNorm(groups: 3)])
                == .doesNotDivide(3, name: "groups", features: 4, layer: 0))
        #expect(
            LayerCheck.error(image, [.groupNorm(groups: 0)])
                == .invalidDimension(0, name: "number of groups", layer: 0))
        #expect(
            ModelError.doesNotDivide(3, name: "groups", features: 4, layer: 0).description.contains("1, 2, 4"))
    }
}
