import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining

/// ε over steps, or δ over steps, as a chart.
struct PrivacyCurve {
    let title: String
    let yLabel: String
    /// The lines, the most important first.
    let lines: [Line]

    /// A line of the chart.
    struct Line {
        let name: String
        /// The number of all steps.
        let iterations: Int
        /// The number of steps of an epoch; 1 where there are none.
        var stepsPerEpoch = 1
        /// What is drawn, after some steps.
        let value: (_ steps: Int) throws -> Double

        /// Up to 40 evenly spaced numbers of steps, all of them last, of whole epochs as far as they are whole.
        var steps: [Int] {
            let (whole, rest) = iterations.quotientAndRemainder(dividingBy: stepsPerEpoch)
            let epochs = whole + (rest > 0 ? 1 : 0)
            let points = min(40, max(1, epochs))
            return (1...points).map { point in
                // ⌊epochs · point / points⌋, whose product may be too large.
                let (each, left) = epochs.quotientAndRemainder(dividingBy: points)
                let (steps, overflows) = (each * point + left * point / points)
                    .multipliedReportingOverflow(by: stepsPerEpoch)
                return overflows ? iterations : min(iterations, steps)
            }
        }
    }

    /// Draws it and writes it as SVG.
    func write(to path: String) throws {
        // The most important is drawn last: its curve lies above the others.
        let series = try lines.reversed().map { line in
            let points = try line.steps.map { (x: Double($0), y: try line.value($0)) }
            return LineChart.Series(name: line.name, points: points.filter(\.y.isFinite))
        }
        try writeFile(LineChart(title: title, xLabel: "steps", yLabel: yLabel, series: series).svg, to: path)
    }
}

/// Trade-off curves as a chart: of every type I error, the least type II error that any test can have.
struct TradeOffChart {
    let title: String
    /// The curves and their names, the most important first.
    let curves: [(name: String, curve: TradeOffCurve)]

    /// Draws them and writes them as SVG.
    func write(to path: String) throws {
        let series = curves.reversed().map { name, curve in
            LineChart.Series(name: name, points: curve.corners.map { ($0.typeOneError, $0.typeTwoError) })
        }
        let chart = LineChart(
            title: title, xLabel: "type I error of a test", yLabel: "type II error, at least", series: series)
        try writeFile(chart.svg, to: path)
    }
}

/// A setting and who accounts it, for charts.
struct ChartedSetting {
    let setting: AccountedSetting
    let accountant: any PrivacyAccountant
    let question: Question

    private var accountantName: String { type(of: accountant).name.uppercased() }

    /// Draws what the options ask for.
    ///
    /// - Parameter settings: one for each line, the most important first.
    static func draw(_ settings: [ChartedSetting], _ options: ChartOptions) throws {
        guard let first = settings.first else { return }
        if let path = options.plot {
            let lines = try settings.map { charted in
                PrivacyCurve.Line(
                    name: charted.name(among: settings), iterations: charted.setting.iterations,
                    stepsPerEpoch: try charted.setting.stepsPerEpoch()
                ) { steps in
                    let event = try charted.setting.event(afterIterations: steps)
                    return try charted.question.answer(of: event, by: charted.accountant)
                }
            }
            let asked = Set(settings.map(\.question)).count == 1 ? " at \(first.question.text)" : ""
            try PrivacyCurve(
                title: "\(first.question.symbol)\(asked), \(first.text(among: settings))",
                yLabel: first.question.symbol, lines: lines
            ).write(to: path)
        }
        if let path = options.tradeOff {
            // The curve of a setting has all of its δ: one for each accountant.
            var curves: [(name: String, curve: TradeOffCurve)] = []
            for charted in settings {
                let name = charted.tradeOffName(among: settings)
                guard !curves.contains(where: { $0.name == name }) else { continue }
                curves.append((name, try charted.accountant.tradeOffCurve(of: charted.setting.event())))
            }
            let title = "Trade-off after \(first.setting.iterations) steps, \(first.text(among: settings))"
            try TradeOffChart(title: title, curves: curves).write(to: path)
        }
    }

    /// Sampler, and noise where it is the same in all.
    private func text(among settings: [ChartedSetting]) -> String {
        let sameNoise = Set(settings.map(\.setting.noiseMultiplier)).count == 1
        let numbers = setting.sampler.text(of: setting.numbers)
        return [sameNoise ? "z = \(shortest(setting.noiseMultiplier))" : "", numbers, setting.sampler.name]
            .filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// The accountant, and what differs between settings.
    private func name(among settings: [ChartedSetting]) -> String {
        let asked = Set(settings.map(\.question)).count > 1 ? [question.text] : []
        return ([tradeOffName(among: settings)] + asked).joined(separator: ", ")
    }

    private func tradeOffName(among settings: [ChartedSetting]) -> String {
        let differ = Set(settings.map(\.setting.noiseMultiplier)).count > 1
        return ([accountantName] + (differ ? ["z = \(shortest(setting.noiseMultiplier))"] : []))
            .joined(separator: ", ")
    }
}
