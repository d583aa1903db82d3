import CommandLineSupport
import PrivacyAccounting

/// Predicted errors over the number of bands: a line for each sampler's banded strategies, and a level one for each way
/// without bands.
struct NoiseChart {
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
        var lines: [(name: String, points: [(x: Double, y: Double)])] = []
        for row in rows {
            guard let bands = row.bands, bands > 1 else {
                lines.append((name(row.name, row), [(1, row.predictedError), (most, row.predictedError)]))
                continue
            }
            let name = name("banded-toeplitz", row)
            let point = (Double(bands), row.predictedError)
            if let index = lines.firstIndex(where: { $0.name == name }) {
                lines[index].points.append(point)
            } else {
                lines.append((name, [point]))
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
