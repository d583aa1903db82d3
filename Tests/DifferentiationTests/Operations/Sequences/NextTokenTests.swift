import Foundation
import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation

struct NextTokenTests {
    /// Scores that are parameters: [positions, vocabulary].
    private static func check(_ ids: [[Float]], lengths: [Int]? = nil) -> ModelCheck {
        var generator = SeededGenerator(seed: 6)
        let scores = [try! Tensor(shape: [ids[0].count, 3], values: generator.floats(3 * ids[0].count))]
        let program = Program(parameters: scores, featureCount: ids[0].count) { scores, example in
            let zeros = example.tokens.embedded(in: Tensor(zeros: [9, 3]))
            return nextTokenLoss(zeros + scores[0], example.tokens)
        }
        return ModelCheck(
            program: program, inputs: ProgramInputs(features: Matrix(ids), lengths: lengths),
            parameters: try! scores.flattened())
    }

    @Test func isTheMeanOverTokensThatFollowOthers() throws {
        let ids: [[Float]] = [[0, 1, 2, 1], [2, 0, -1, 1], [1, 2, 1, 0], [1, 1, 1, 1], [-1, 2, 0, -1]]
        let check = Self.check(ids, lengths: [4, 4, 2, 1, 4])
        check.expectAll()
        let scores = check.parameters.values.map(Double.init)
        // The positions whose next token counts, by hand.
        let predicted = [[0, 1, 2], [0], [0], [], [1]]
        for (example, loss) in check.run(check.inputs).losses.enumerated() {
            let terms = predicted[example].map { position in
                let row = (0..<3).map { scores[3 * position + $0] }
                return log(row.reduce(0) { $0 + exp($1) }) - row[Int(ids[example][position + 1])]
            }
            let exact = terms.isEmpty ? 0 : terms.reduce(0, +) / Double(terms.count)
            #expect(abs(Double(loss) - exact) < 1e-6, "\(example)")
        }
    }

    @Test func scoresWithoutANextTokenHaveNoGradient() {
        let check = Self.check([[0, 1, -1, 2], [0, 1, 2, 2]], lengths: [4, 3])
        let rows = check.run(check.inputs).rows
        for (row, used) in zip(rows, [[0], [0, 1]]) {
            for position in 0..<4 {
                let isZero = row[3 * position..<3 * position + 3].allSatisfy { $0 == 0 }
                #expect(isZero == !used.contains(position))
            }
        }
    }

    @Test func namesBothShapes() async {
        await #expect(processExitsWith: .failure) {
            _ = Program(parameters: [Tensor(zeros: [4, 2])], featureCount: 3) { model, example in
                nextTokenLoss(example.tokens.embedded(in: model[0]).positions(0..<2), example.tokens)
            }
        }
    }
}
