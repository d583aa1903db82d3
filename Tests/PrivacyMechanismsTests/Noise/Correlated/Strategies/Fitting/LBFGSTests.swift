import Foundation
import Testing

@testable import PrivacyMechanisms

@Suite struct LBFGSTests {
    /// Σ 100(x_{i+1} − x_i²)² + (1 − x_i)².
    private static func rosenbrock(_ x: [Double], _ gradient: inout [Double]) -> Double {
        var value = 0.0
        for index in gradient.indices { gradient[index] = 0 }
        for i in 0..<x.count - 1 {
            let (rise, rest) = (x[i + 1] - x[i] * x[i], 1 - x[i])
            value += 100 * rise * rise + rest * rest
            gradient[i] += -400 * x[i] * rise - 2 * rest
            gradient[i + 1] += 200 * rise
        }
        return value
    }

    /// The valley that bends: its minimum is at (1, …, 1).
    @Test(arguments: [2, 5, 20])
    func findsTheEndOfAValley(dimensions: Int) {
        let start = (0..<dimensions).map { $0 % 2 == 0 ? -1.2 : 1.0 }
        var values: [Double] = []
        let minimum = LBFGS(tolerance: 1e-14).minimum(from: start, progress: { values.append($1) }, of: Self.rosenbrock)
        // Some valleys of four and more dimensions have a second minimum near (−1, 1, …): not from this start.
        #expect(minimum.value < 1e-12)
        #expect(minimum.point.allSatisfy { abs($0 - 1) < 1e-5 })
        #expect(values.last == minimum.value && zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
        // The twin: a gradient of the wrong sign goes nowhere.
        let twin = LBFGS().minimum(from: start, progress: { _, _ in }) { point, gradient in
            let value = Self.rosenbrock(point, &gradient)
            gradient = gradient.map { -$0 }
            return value
        }
        #expect(twin.point == start)
    }

    /// x − log x has its minimum at 1, near the end of its domain; steps that leave it are too long.
    @Test func staysInADomain() {
        for outside in [Double.infinity, .nan] {
            let minimum = LBFGS(tolerance: 1e-15).minimum(from: [50], progress: { _, _ in }) { point, gradient in
                if point[0] <= 0 { return outside }
                gradient[0] = 1 - 1 / point[0]
                return point[0] - log(point[0])
            }
            #expect(abs(minimum.point[0] - 1) < 1e-6)
        }
    }

    /// A convex parabola of n variables takes few steps; a start at the minimum takes none.
    @Test func parabolasAreEasy() {
        func value(_ x: [Double], _ gradient: inout [Double]) -> Double {
            for index in x.indices { gradient[index] = Double(index + 1) * x[index] }
            return zip(x, gradient).reduce(0) { $0 + $1.0 * $1.1 } / 2
        }
        var steps = 0
        let minimum = LBFGS(tolerance: 1e-16).minimum(
            from: [Double](repeating: 1, count: 10), progress: { _, _ in steps += 1 }, of: value)
        #expect(minimum.value < 1e-12 && steps < 60)
        let rest = LBFGS().minimum(
            from: [0, 0], progress: { _, _ in Issue.record("A step from the minimum.") }, of: value)
        #expect(rest.point == [0, 0] && rest.value == 0)
    }

    @Test func startsOutsideTheDomainTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = LBFGS().minimum(from: [0], progress: { _, _ in }) { _, _ in .infinity }
        }
    }
}
