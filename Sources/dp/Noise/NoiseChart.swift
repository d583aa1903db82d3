import CommandLineSupport
import PrivacyAccounting

/// Predicted errors over the number of bands: a line for each sampler's banded strategies, and a level one for the best
/// of each other kind.
struct NoiseChart {
    /// The best first.
    let rows: [NoiseRow]
    let epsilon: Double
    let delta: Double

    /// Draws it and writes it as SVG.
    func write(to path: String) throws {
        let chart = LineChart(
            title: "Noise of prefix sums at ε = \(shortest(epsilon)), δ = \(delta)", xLabel: "bands",
            yLabel: "predicted error", xScale: .logarithmic, series: series)
        try writeFile(chart.svg, to: path)
    }

    private var series: [LineChart.Series] {
        let most = Double(max(2, rows.compactMap(\.bands).max() ?? 2))
        var lines: [(kind: String, name: String, points: [(x: Double, y: Double)])] = []
        for row in rows {
            let kind = String(row.name.prefix { $0 != ":" })
            let place = lines.firstIndex { $0.kind == name(kind, row) }
            let bands = row.bands.flatMap { $0 > 1 ? $0 : nil }
            if let bands, let place {
                lines[place].points.append((Double(bands), row.predictedError))
            } else if let bands {
                lines.append((name(kind, row), name(kind, row), [(Double(bands), row.predictedError)]))
            } else if place == nil {
                let level = [(1, row.predictedError), (most, row.predictedError)]
                lines.append((name(kind, row), name(row.name, row), level))
            }
        }
        return lines.map { LineChart.Series(name: $0.name, points: $0.points.sorted { $0.x < $1.x }) }
    }

    /// The strategy, the sampler, and the relation where there are several.
    private func name(_ strategy: String, _ row: NoiseRow) -> String {
        let relation = Set(rows.map(\.relation)).count > 1 ? [row.relation.rawValue] : []
        return ([strategy, row.samplingKind] + relation).joined(separator: ", ")
    }
}
