import Foundation
import Testing

@testable import Networks

struct SequencePoolingTests {
    @Test(arguments: SequencePooling.Kind.allCases) func leavesPaddingOut(kind: SequencePooling.Kind) throws {
        let lengths = [4, 2, 1, 0]
        let check = try LayerCheck(
            .sequence(positions: 4, width: 3), [.dense(outputs: 3, activation: .tanh), .sequencePooling(kind)],
            lengths: lengths)
        for (example, outputs) in check.outputs.enumerated() {
            let all = try check.dense(check.rows(example, columns: 3), "dense1").map { $0.map(tanh) }
            let rows = all[..<lengths[example]]
            let expected = (0..<3).map { feature -> Double in
                let column = rows.map { $0[feature] }
                return switch kind {
                case .mean: column.isEmpty ? 0 : column.reduce(0, +) / Double(column.count)
                case .max: column.max() ?? 0
                case .last: column.last ?? 0
                }
            }
            expectEqual(outputs, expected)
        }
        try check.expectGradients()
        try check.expectRoundTrip()
    }

    @Test func whatDoesNotFitIsNamed() throws {
        #expect(
            LayerCheck.error(.features(4), [.sequencePooling(.mean)]) == .noSequence(kind: "sequencePooling", layer: 0))
        let json = Data(#"{"kind": "sequencePooling", "pooling": "first"}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(NetworkArchitecture.Layer.self, from: json) }
    }
}
