import Testing

@testable import Differentiation

struct ConcatenationTests {
    @Test func holds() {
        OperationCheck.expect(shape: [4]) { x, _ in x.concatenated(with: x.tanh(), x.squared()) }
        OperationCheck.expect(shape: [3, 2], parameters: [[2, 5]], lengths: [3, 1, 2, 0, 3]) { x, p in
            x.concatenated(with: x.dense(kernel: p[0])).mean(over: .positions)
        }
    }

    @Test func namesBothShapes() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [3, 2]) { x, _ in x.concatenated(with: x.positions(0..<2)) }
        }
    }
}
