import LinearAlgebra
import Testing

@testable import Differentiation

struct LayerNormalizationTests {
    @Test func holds() {
        for shape in [[5], [4, 3], [3, 13], [2, 2, 5]] {
            let features = shape.last!
            OperationCheck.expect(shape: shape, parameters: [[features], [features]]) { x, p in
                x.layerNormalized(gain: p[0], bias: p[1])
            }
            OperationCheck.expect(shape: shape, parameters: [[features]]) { x, p in x.rmsNormalized(gain: p[0]) }
        }
    }

    @Test func leavesPaddingAlone() {
        OperationCheck.expect(shape: [4, 3], parameters: [[3], [3]], lengths: [4, 2, 1, 3, 0]) { x, p in
            x.layerNormalized(gain: p[0], bias: p[1]).mean(over: .positions)
        }
    }

    /// The derivatives of a row of equal numbers are large, by 1/√ε, and finite.
    @Test func aRowOfEqualNumbersHasNoInfinity() {
        let check = OperationCheck.check(shape: [3, 4], parameters: [[4], [4]], range: 0.5...0.5) { x, p in
            x.layerNormalized(gain: p[0], bias: p[1])
        }
        #expect(check.run(check.inputs).rows.allSatisfy { $0.allSatisfy(\.isFinite) })
    }

    @Test func namesBothShapes() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [7], parameters: [[6]]) { x, p in x.rmsNormalized(gain: p[0]) }
        }
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [7], parameters: [[7]]) { x, p in x.rmsNormalized(gain: p[0], epsilon: 0) }
        }
    }
}
