import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

/// Attack: tell from the published parameters whether a user is there all of whose examples pull the same way, as far
/// as they can.
@Suite struct UserNeighborTests {
    private static let k = 6

    /// 20 users with an example each, and the one with k of them, or not.
    private static func owners(withVictim: Bool) -> [Int] {
        Array(0..<20) + (withVictim ? Array(repeating: 20, count: k) : [])
    }

    /// One step on everybody: the parameter that the victim's examples pull at, times the expected batch size.
    private static func published(_ sampling: SamplingScheme, unit: PrivacyUnit, z: Double) throws -> Double {
        let plan = try PrivacyPlan(
            sampling: sampling, iterations: 1, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(z),
            delta: 1e-5, unit: unit)
        let layout = try TreeLayout([("x", [3])])
        var run = try PrivateRun(
            plan, optimizer: IdentityAugmented(sgd(learningRate: 1)), parameters: ParameterVector(zeros: layout))
        try run.step(microbatchSize: 4) { indices, _ in
            var rows = Matrix(rows: indices.count, columns: 3)
            for (row, index) in indices.enumerated() { rows[row, index < 20 ? 1 : 0] = 1e6 }
            return try DenseRows(rows, layout: layout)
        }
        return -Double(run.parameters.values[0]) * plan.normalizeBy
    }

    private static func ofUsers(_ withVictim: Bool) throws -> SamplingScheme {
        .user(try UserSampler(owners: owners(withVictim: withVictim), samplingProbability: 1, examplesPerUser: k))
    }

    /// The broken twin: the same step, in which each of the victim's examples is clipped by itself.
    private static func ofExamples(_ withVictim: Bool) throws -> SamplingScheme {
        let count = owners(withVictim: withVictim).count
        return .poisson(try PoissonSampler(exampleCount: count, samplingProbability: 1))
    }

    @Test func aUserPullsAsFarAsOneClipNorm() throws {
        #expect(try abs(Self.published(Self.ofUsers(true), unit: .user, z: 0) - 1) < 0x1p-20)
        #expect(try Self.published(Self.ofUsers(false), unit: .user, z: 0) == 0)
        // The broken twin pulls k times as far.
        #expect(try Self.published(Self.ofExamples(true), unit: .example, z: 0) > Double(Self.k) - 0.001)
    }

    /// Hits less false alarms of any attack on one Gaussian of noise multiplier z are at most 2Φ(1/(2z)) − 1: 0.099 for
    /// z = 4. The grid's noise is as good as that. In 400 runs each the difference has a standard deviation of at most
    /// √(2·¼/400) = 0.0354, and is five of these above with a probability below 3·10⁻⁷.
    @Test func noAttackTellsMoreThanThePlanSays() throws {
        let (z, runs) = (4.0, 400)
        let most = erf(1 / (2 * z) / 2.0.squareRoot()) + 5 * (0.5 / Double(runs)).squareRoot()
        func advantage(_ sampling: (Bool) throws -> SamplingScheme, _ unit: PrivacyUnit, middle: Double) throws
            -> Double
        {
            func hits(_ withVictim: Bool) throws -> Int {
                let scheme = try sampling(withVictim)
                return try (0..<runs).count { _ in try Self.published(scheme, unit: unit, z: z) > middle }
            }
            return try Double(hits(true) - hits(false)) / Double(runs)
        }
        #expect(try advantage(Self.ofUsers, .user, middle: 0.5) <= most)
        // The broken twin: 2Φ(6/8) − 1 = 0.547.
        #expect(try advantage(Self.ofExamples, .example, middle: 3) > most)
    }
}
