import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining

/// ε over steps, as a chart.
struct EpsilonCurve {
    let title: String
    /// The number of all steps.
    let iterations: Int
    /// Who accounts, the tightest first.
    let accountants: [String]
    /// ε after some steps, by the accountant of a number.
    let epsilon: (_ accountant: Int, _ steps: Int) throws -> Double

    /// Draws it over up to 40 evenly spaced numbers of steps, and writes it as SVG.
    func write(to path: String) throws {
        let points = min(40, max(1, iterations))
        let steps = (1...points).map { min(iterations, max(1, Int(Double(iterations) * Double($0) / Double(points)))) }
        // The tightest is drawn last: its curve lies above the others.
        let curves = try accountants.indices.reversed().map { accountant in
            let values = try steps.map { (x: Double($0), y: try epsilon(accountant, $0)) }
            return LineChart.Series(name: accountants[accountant].uppercased(), points: values.filter(\.y.isFinite))
        }
        try writeFile(LineChart(title: title, xLabel: "steps", yLabel: "ε", series: curves).svg, to: path)
    }
}

extension DPSGD {
    /// The curve by each of the accountants.
    func curve(by accountants: [any PrivacyAccountant]) -> EpsilonCurve {
        EpsilonCurve(
            title: "ε at δ = \(delta), z = \(String(format: "%.4g", noiseMultiplier)), "
                + "q = \(String(format: "%.4g", samplingProbability))",
            iterations: iterations, accountants: accountants.map { type(of: $0).name }
        ) { accountant, steps in
            var partial = self
            partial.iterations = steps
            return try accountants[accountant].epsilon(of: partial.event(), delta: delta)
        }
    }
}

extension PrivacyPlan {
    /// The curve by the plan's own accountant.
    var epsilonCurve: EpsilonCurve {
        EpsilonCurve(
            title: "ε at δ = \(delta), z = \(String(format: "%.4g", noiseMultiplier)), \(sampling.kind) sampling",
            iterations: iterations, accountants: [accountant.rawValue]
        ) { _, steps in try epsilon(afterIterations: steps) }
    }
}
