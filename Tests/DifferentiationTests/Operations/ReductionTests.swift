import Testing

@testable import Differentiation

struct ReductionTests {
    @Test(arguments: [ReducedAxes.features, .positions, .all])
    func holds(_ axes: ReducedAxes) {
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.sum(over: axes) }
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.mean(over: axes) }
        OperationCheck.expect(shape: [4, 3]) { x, _ in x.max(over: axes) }
    }

    @Test(arguments: [ReducedAxes.positions, .all])
    func leavesPaddingOut(_ axes: ReducedAxes) {
        OperationCheck.expect(shape: [4, 3], lengths: [4, 2, 1, 3, 0]) { x, _ in x.mean(over: axes) }
        OperationCheck.expect(shape: [4, 3], lengths: [4, 2, 1, 3, 0]) { x, _ in x.max(over: axes) }
    }
}
