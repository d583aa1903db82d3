import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct ContourIntegralTests {
    struct Setting: CustomTestStringConvertible, Sendable {
        let (z, q, steps): (Double, Double, Int)
        var testDescription: String { "z = \(z), q = \(q), T = \(steps)" }
    }

    static let settings = [
        Setting(z: 1, q: 0.01, steps: 1000), Setting(z: 0.7, q: 0.1, steps: 300), Setting(z: 4, q: 0.5, steps: 200),
        Setting(z: 2, q: 0.001, steps: 20_000), Setting(z: 10, q: 1e-4, steps: 1000),
    ]

    static func models(_ setting: Setting, _ relation: NeighboringRelation) throws -> [LossModel] {
        let event = try PrivacyEvent.dpSGD(
            noiseMultiplier: setting.z, samplingProbability: setting.q, iterations: setting.steps)
        return try LossModel.directions(Phases(event), relation: relation, side: .upper)
    }

    /// What two independent methods prove agrees: the contour's narrow bracket lies in the one of sums of cells, which
    /// add positive numbers only.
    @Test(arguments: settings) func contoursLieBetweenCells(setting: Setting) throws {
        for relation in [NeighboringRelation.addOrRemoveOne, .replaceOne] {
            for model in try Self.models(setting, relation) {
                for delta in [1e-3, 1e-8] {
                    let ends = try #require(ContourQuery(model)?.epsilon(delta: delta))
                    #expect(ends.isSharp && ends.lower <= ends.upper, "\(ends)")
                    #expect(CellQuery(model, side: .upper).epsilon(delta: delta) >= ends.lower)
                    #expect(CellQuery(model, side: .lower).epsilon(delta: delta) <= ends.upper)
                }
            }
        }
    }

    /// A Gaussian mechanism on whole batches, of which the contour knows no closed form, against that: both ends within
    /// 10⁻⁵ of it, for δ down to 10⁻²⁵⁰.
    @Test(arguments: [100, 10_000, 1_000_000_000_000])
    func gaussiansAreExact(count: Int) throws {
        let mu = 1 / Double(count).squareRoot()
        let model = LossModel(
            components: [.init(parts: [(1, SubsampledPair(GaussianPair(mu: mu), probability: 1))], count: count)])
        for delta in [0.3, 1e-2, 1e-9, 1e-60, 1e-250] {
            let exact = GaussianDifferentialPrivacy.epsilon(delta: delta, mu: 1)
            let ends = try #require(ContourQuery(model)?.epsilon(delta: delta))
            // The closed form's own error is 2·10⁻⁹.
            #expect(ends.lower <= exact * (1 + 2e-9) && exact * (1 - 2e-9) <= ends.upper, "\(delta): \(ends)")
            #expect(ends.upper - ends.lower <= 1e-5 * exact, "\(delta): \(ends) for \(exact)")
            let deltas = try #require(ContourQuery(model)?.delta(epsilon: exact))
            #expect(deltas.lower <= delta * (1 + 1e-8) && delta * (1 - 1e-8) <= deltas.upper, "\(delta): \(deltas)")
        }
    }

    /// A line whose frequencies are too far apart adds other periods, all positive. As an upper end that holds; taken
    /// for the value itself, as the twin does, it is not below the truth.
    @Test func otherPeriodsOnlyAdd() throws {
        let setting = Setting(z: 1, q: 0.1, steps: 200)
        for model in try Self.models(setting, .addOrRemoveOne) {
            let smooth = try #require(SmoothModel(model, tail: 1e-20))
            let exact = try #require(ContourQuery(model)?.delta(epsilon: 3))
            let tilt = CumulantGuide(model, tail: 1e-20).saddle(epsilon: 3)
            for share in [1.0, 0.7, 0.4, 0.2, 0.1] {
                let line = try #require(ContourIntegral(smooth, tilt: tilt, near: 3, periodShare: share))
                let bounds = line.bounds(epsilon: 3)
                #expect(bounds.lower <= exact.upper && bounds.upper >= exact.lower, "\(share): \(bounds)")
                if share == 0.1 { #expect(bounds.upper > exact.upper * 1.5 && bounds.lower < exact.lower / 1.5) }
            }
        }
    }

    /// Lines at other tilts prove what they prove: each one's ends hold.
    @Test(arguments: settings) func everyLineHolds(setting: Setting) throws {
        for model in try Self.models(setting, .addOrRemoveOne) {
            let smooth = try #require(SmoothModel(model, tail: 1e-25))
            let guide = CumulantGuide(model, tail: 1e-25)
            let point = guide.choice(delta: 1e-6).epsilon
            let exact = try #require(ContourQuery(model)?.delta(epsilon: point))
            let saddle = guide.saddle(epsilon: point)
            for factor in [0.2, 0.5, 0.9, 1.1, 2, 3] {
                guard let line = ContourIntegral(smooth, tilt: factor * saddle, near: point) else { continue }
                let bounds = line.bounds(epsilon: point)
                #expect(bounds.lower <= exact.upper && bounds.upper >= exact.lower, "\(factor): \(bounds) \(exact)")
            }
        }
    }

    /// |E e^{(θ + iτ)L}|/E e^{θL}, from the nodes, is nowhere above the bound, which falls. The twin's drop is twice as
    /// large.
    @Test(arguments: settings) func decayIsBoundedFromAbove(setting: Setting) throws {
        for model in try Self.models(setting, .addOrRemoveOne) {
            let smooth = try #require(SmoothModel(model, tail: 1e-25))
            let component = smooth.components[0]
            let tilt = CumulantGuide(model, tail: 1e-25).choice(delta: 1e-6).tilt
            let coarse = try #require(LossNodes(component, tilt: tilt, frequency: 0))
            let decay = CharacteristicDecay(component, tilt: tilt, logMoment: coarse.cumulant)
            let deviation = coarse.variance.squareRoot()
            var (last, isTwinCaught) = (0.0, false)
            for step in 0..<40 {
                let tau = 0.05 / deviation * pow(1.2, Double(step))
                let nodes = try #require(LossNodes(component, tilt: tilt, frequency: tau))
                var y = Complex(0, -tau * nodes.rest)
                for (loss, weight) in zip(nodes.losses, nodes.weights) {
                    y = y + weight * Complex.expm1(Complex(0, tau * loss))
                }
                let logModulus = Complex.log1p(y).re
                let bound = decay.logBound(frequency: tau)
                #expect(logModulus <= bound + 1e-12 && bound <= last + 1e-15, "\(tau): \(logModulus) \(bound)")
                if logModulus > 40 * bound { isTwinCaught = true }
                last = bound
            }
            #expect(isTwinCaught)
        }
    }
}
