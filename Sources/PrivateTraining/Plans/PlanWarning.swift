import Foundation
import PrivacyAccounting
import PrivacyMechanisms

/// What makes a plan a doubtful one, though nothing in it is wrong.
public enum PlanWarning: Hashable, Sendable {
    /// δ is no less than one over the number of units: publishing a few of them whole would satisfy it.
    case largeDelta(Double, units: Int, unit: PrivacyUnit)
    /// ε of all steps is above 20, where the guarantee says little.
    case largeEpsilon(Double, unit: PrivacyUnit)
    /// There is no noise.
    case noNoise
    /// The noise of all steps together is as long as the longest sum of their clipped means: `ratio` ≥ 1 times that.
    case drowned(ratio: Double)
    /// The noise is in floating point: for comparison.
    case floatingPointNoise
}

extension PlanWarning: CustomStringConvertible {
    /// What is doubtful, why, and the remedy.
    public var description: String {
        switch self {
        case .largeDelta(let delta, let units, let unit):
            "δ = \(delta) is no less than one over the number of \(unit.rawValue)s, \(units): a mechanism that "
                + "publishes one of them at random would satisfy it. Choose δ far below 1/\(units), for example "
                + String(format: "%.0e.", Foundation.pow(10, (-log10(10 * Double(units))).rounded(.down)))
        case .largeEpsilon(let epsilon, let unit):
            "ε = \(PrivacyReport.rounded(epsilon, up: true)) promises little: above 20, a single "
                + "\(unit.rawValue) can change the odds of an outcome by a factor beyond e²⁰. Below 10 is usual."
        case .noNoise: "There is no noise: nothing is promised to anybody."
        case .drowned(let ratio):
            "Noise drowns the signal: over all steps it is \(String(format: "%.3g", ratio)) times as long as what the "
                + "examples can add up to. Allow a larger ε, take larger batches, more data, or a smaller model."
        case .floatingPointNoise:
            "floatingPointGaussian noise is for comparison: the low-order bits of floating-point sums and noise tell "
                + "neighbouring data sets apart (Mironov, CCS 2012), and no ε covers that. Use discreteGaussian, the "
                + "default."
        }
    }
}

extension PrivacyPlan {
    /// The number of units that are protected: of examples, or of users.
    public var unitCount: Int { sampling.unitCount }

    /// z·C/N: the standard deviation of the noise on each coordinate of the mean clipped gradient, in the first step.
    /// Of correlated noise it is z·‖C‖₁→₂·C/N, that of the noise before it is correlated.
    public var noiseDeviationOfMean: Double {
        guard noiseMultiplier > 0 else { return 0 }
        return gradientNoiseMultiplier * columnNorm * initialClippingRule.sensitivity(for: .addOrRemoveOne)
    }

    /// How long the noise of all steps together is, over how long their clipped means can be in sum at most: z·√(d/T)/N
    /// for d = `parameterCount` and T steps of independent noise. At a tenth models train well, at one they cannot.
    public func noiseToSignalRatio(parameterCount: Int) -> Double {
        guard noiseMultiplier > 0 else { return 0 }
        return gradientNoiseMultiplier * columnNorm / normalizeBy * Double(parameterCount).squareRoot() * noiseGrowth
            / Double(max(1, iterations))
    }

    /// What is doubtful about the plan; of a model of `parameterCount` parameters too, if it is given.
    public func warnings(parameterCount: Int? = nil) -> [PlanWarning] {
        var warnings: [PlanWarning] = []
        if delta * Double(unitCount) >= 1 { warnings.append(.largeDelta(delta, units: unitCount, unit: unit)) }
        if noiseMultiplier == 0 || normalization?.noiseMultiplier == 0 {
            warnings.append(.noNoise)
        } else if epsilonBudget ?? .infinity > 20, let epsilon = try? epsilon(), epsilon > 20 {
            // Within a budget that is small enough, no accountant needs to be asked.
            warnings.append(.largeEpsilon(epsilon, unit: unit))
        }
        if noiseMultiplier > 0, !isExact { warnings.append(.floatingPointNoise) }
        if let parameterCount, iterations > 0 {
            let ratio = noiseToSignalRatio(parameterCount: parameterCount)
            if ratio >= 1 { warnings.append(.drowned(ratio: ratio)) }
        }
        return warnings
    }
}
