import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct RenyiDivergenceTests {
    /// Simpson's rule on E[(1 − q + q·e^{(2x−1)/(2z²)})^α], without any of the tricks of the implementation.
    static func plain(_ order: Double, _ q: Double, _ z: Double) -> Double {
        let (low, high, count) = (-14 * z, order + 14 * z, 40_000)
        let step = (high - low) / Double(count)
        var sum = 0.0
        for index in 0...count {
            let x = low + Double(index) * step
            let weight = index == 0 || index == count ? 1.0 : (index % 2 == 1 ? 4 : 2)
            let density = exp(-x * x / 2 / z / z) / z / (2 * Double.pi).squareRoot()
            sum += weight * density * pow(1 - q + q * exp((2 * x - 1) / 2 / z / z), order)
        }
        return log(sum * step / 3) / (order - 1)
    }

    static let settings = [
        (2.3, 0.25, 4.0), (2.7, 0.01, 0.6), (8.1, 0.00426, 1.1), (3, 0.1, 1), (16, 0.05, 2), (1.5, 0.5, 0.8),
    ]

    @Test(arguments: settings)
    func poissonGaussianMatchesTheIntegral(order: Double, q: Double, z: Double) throws {
        let ours = RenyiDivergence.poissonGaussian(order: order, probability: q, noiseMultiplier: z)
        #expect(abs(ours / Self.plain(order, q, z) - 1) < 1e-8)
    }

    /// Integer orders by the binomial sum join fractional ones by quadrature; (α − 1)D_α is convex.
    @Test func integerAndFractionalOrdersAgree() {
        for (q, z) in [(0.01, 1.0), (0.2, 3.0), (1e-5, 0.7)] {
            func moment(_ order: Double) -> Double {
                (order - 1) * RenyiDivergence.poissonGaussian(order: order, probability: q, noiseMultiplier: z)
            }
            for order in [2.0, 5, 11] {
                #expect(moment(order + 0.5) <= (moment(order) + moment(order + 1)) / 2)
                #expect(abs(moment(order + 1e-9) / moment(order) - 1) < 1e-6)
            }
        }
    }

    @Test func tinyProbabilitiesDoNotCancel() {
        // To first order A_α − 1 = α(α − 1)q²(e^{1/z²} − 1)/2.
        let (q, z, order) = (1e-9, 1.0, 3.5)
        let ours = RenyiDivergence.poissonGaussian(order: order, probability: q, noiseMultiplier: z)
        #expect(abs(ours / (order * q * q * (M_E - 1) / 2) - 1) < 1e-6)
    }

    @Test func centredMomentsMatchTheDifferences() {
        // B(2) = e^{1/z²} − 1 and B(4) = e^{6/z²} − 4e^{3/z²} + 6e^{1/z²} − 3.
        for z in [0.7, 1, 3] {
            let moments = RenyiDivergence.CentredMoments(noiseMultiplier: z, highest: 2)
            #expect(abs(moments.logValues[0]) < 1e-10)
            #expect(abs(exp(moments.logValues[1]) / expm1(1 / z / z) - 1) < 1e-9)
            let s = 1 / z / z
            let fourth = exp(6 * s) - 4 * exp(3 * s) + 6 * exp(s) - 3
            #expect(abs(exp(moments.logValues[2]) / fourth - 1) < 1e-9)
        }
    }

    /// Quadratures had nodes in proportion to 1/z², in the end more than `Int` counts. Where they
    /// end, the bound is the other one, which differs by less than the factor 4 of the moments.
    @Test func nextToNoNoiseOnSubsetsIsQuick() throws {
        for z in [0.02, 1e-3, 1e-10, 1e-160, .leastNonzeroMagnitude] {
            let event = try PrivacyEvent.sampledWithoutReplacement(
                sourceSize: 1000, sampleSize: 10, .gaussian(noiseMultiplier: z))
            #expect(try RenyiAccountant(relation: .replaceOne).epsilon(of: event, delta: 1e-5) > 100)
        }
        func bound(_ z: Double) -> Double {
            RenyiDivergence.withoutReplacementGaussian(
                order: 8, fraction: 0.01, noiseMultiplier: z, moments: .init(noiseMultiplier: z))
        }
        let (above, below) = (bound(0.05), bound(0.05.nextDown))
        #expect(below >= above * (1 - 0x1p-40) && below <= above + log(4) / 7)
    }

    @Test func moreOrdersOnlyLowerEpsilon() throws {
        let event = try PrivacyEvent.dpSGD(noiseMultiplier: 1, samplingProbability: 0.01, iterations: 500)
        let coarse = try RenyiAccountant(orders: [2, 8, 32]).guarantee(of: event, delta: 1e-5)
        let fine = try RenyiAccountant(relation: .addOrRemoveOne).guarantee(of: event, delta: 1e-5)
        #expect(fine.epsilon <= coarse.epsilon)
        #expect(fine.order! > 2 && fine.order! < 32)
    }

    @Test func deltaAndEpsilonInvert() throws {
        let event = try PrivacyEvent.dpSGD(noiseMultiplier: 1.3, samplingProbability: 0.02, iterations: 300)
        let accountant = RenyiAccountant(relation: .replaceSpecial)
        let epsilon = try accountant.epsilon(of: event, delta: 1e-5)
        #expect(abs(try accountant.delta(of: event, epsilon: epsilon) / 1e-5 - 1) < 1e-2)
    }

    @Test func badOrdersThrow() {
        for orders in [[], [1], [0.5], [.nan], [.infinity]] as [[Double]] {
            #expect(throws: AccountingError.self) { try RenyiAccountant(orders: orders) }
        }
    }

    /// Much noise asks for large orders, which are looked at: order 18,500 or so for z = 10⁴ at δ = 10⁻⁵. Where the
    /// caller's orders end before, the answer says so.
    @Test func ordersGoOnAsFarAsTheyPay() throws {
        let event = try PrivacyEvent.gaussian(noiseMultiplier: 1e4)
        let best = try RenyiAccountant(relation: .addOrRemoveOne).guarantee(of: event, delta: 1e-5)
        #expect(abs(best.epsilon / 1.2966e-4 - 1) < 1e-3 && !best.isLastOrder)
        let order = try #require(best.order)
        #expect(abs(order / 18_400 - 1) < 0.05)
        let far = try RenyiAccountant(relation: .addOrRemoveOne).guarantee(
            of: .gaussian(noiseMultiplier: 1e11), delta: 1e-30)
        #expect(far.isLastOrder)
    }
}
