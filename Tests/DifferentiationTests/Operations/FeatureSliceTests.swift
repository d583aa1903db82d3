import Testing

@testable import Differentiation

struct FeatureSliceTests {
    @Test(arguments: [0..<2, 1..<5, 4..<5])
    func holds(_ range: Range<Int>) {
        OperationCheck.expect(shape: [3, 5]) { x, _ in x.features(range) }
        OperationCheck.expect(shape: [5]) { x, _ in x.features(range) * x.features(range) }
    }

    @Test func namesTheShape() async {
        await #expect(processExitsWith: .failure) {
            OperationCheck.expect(shape: [3, 5]) { x, _ in x.features(2..<6) }
        }
    }
}
