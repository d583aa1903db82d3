import Testing

@testable import dp

@Suite struct PrivacyCurveTests {
    /// At most 40 numbers of steps, ascending, whole epochs but for the last, which is all steps: of any number, and
    /// of epochs of any length.
    @Test func stepsAreSpreadOverAllOfThem() {
        for iterations in [0, 1, 2, 39, 40, 41, 1000, 1_000_003, .max - 1, .max] {
            for length in [1, 2, 7, 1000, 1 << 24, .max] {
                let line = PrivacyCurve.Line(name: "", iterations: iterations, stepsPerEpoch: length) { _ in 0 }
                let steps = line.steps
                #expect((1...40).contains(steps.count) && steps.last == iterations)
                #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
                #expect(steps.dropLast().allSatisfy { $0 % length == 0 && $0 > 0 })
                // No gap is more than an epoch above the mean, with the last epoch as a whole one.
                let epochs = Double(iterations) / Double(length) + 1
                let gaps = zip([0] + steps, steps).map { Double($1 - $0) / Double(length) }
                // What Float64 rounds of the largest numbers.
                #expect(gaps.allSatisfy { $0 <= (epochs / Double(steps.count) + 1) * (1 + 1e-15) })
            }
        }
    }
}
