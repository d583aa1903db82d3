import CommandLineSupport
import Foundation
import PrivateTraining

/// A page with a run's result, curves, report and configuration, in one file that needs no network.
struct TrainingPage {
    let configuration: TrainingConfiguration
    let result: TrainingResult
    let metrics: [MetricsRecord]

    var html: String {
        WebPage(
            title: title, rows: rows, figures: figures,
            rest: """
                <h2>What is promised</h2>
                <pre>\(WebPage.escaped(result.report))</pre>
                <h2>Configuration</h2>
                <pre>\(WebPage.escaped(configurationText))</pre>
                <p>\(confidential)</p>
                """
        ).html
    }

    /// The data, the model and the promise: `mnist, softmax, ε = 2.00`.
    private var title: String {
        let features = configuration.features.map { " on \($0.title)" } ?? ""
        let promise = result.record.epsilon.isFinite ? "ε = \(Epsilon.text(result.record.epsilon))" : "not private"
        return "\(configuration.data.title), \(configuration.modelName)\(features), \(promise)"
    }

    private var rows: [(String, String)] {
        let record = result.record
        var rows: [(String, String)] = []
        if let accuracy = record.testAccuracy { rows.append(("Test accuracy", Percent.text(accuracy))) }
        if let error = record.testRootMeanSquaredError { rows.append(("Test RMSE", Decimals.text(error))) }
        if let share = record.testRSquared { rows.append(("Test R²", Decimals.text(share))) }
        if let loss = record.testLoss { rows.append(("Test loss", String(format: "%.4f", loss))) }
        rows.append(("ε", "\(Epsilon.text(record.epsilon)) at δ = \(record.delta)"))
        rows.append(("Steps", "\(record.steps) of \(record.plannedSteps)"))
        rows.append(("Noise multiplier", String(format: "%.4f", record.noiseMultiplier)))
        rows.append(("Seconds", String(format: "%.1f", record.seconds)))
        return rows
    }

    private var figures: [String] {
        func series(_ name: String, _ value: (MetricsRecord) -> Double?) -> LineChart.Series {
            LineChart.Series(
                name: name, points: metrics.compactMap { record in value(record).map { (Double(record.step), $0) } })
        }
        var figures: [String] = []
        if metrics.contains(where: { $0.testAccuracy != nil }) {
            figures.append(
                LineChart(
                    title: "Accuracy on test data", xLabel: "steps", yLabel: "accuracy", showsZero: false,
                    series: [series("accuracy", \.testAccuracy)]
                ).svg)
        }
        if metrics.contains(where: { $0.testRootMeanSquaredError != nil }) {
            figures.append(
                LineChart(
                    title: "Root mean squared error on test data", xLabel: "steps", yLabel: "RMSE",
                    series: [series("RMSE", \.testRootMeanSquaredError)]
                ).svg)
        }
        if metrics.contains(where: { $0.testLoss != nil }) {
            figures.append(
                LineChart(
                    title: "Loss on test data", xLabel: "steps", yLabel: "loss", series: [series("loss", \.testLoss)]
                ).svg)
        }
        if metrics.contains(where: { $0.epsilon.isFinite }) {
            figures.append(
                LineChart(
                    title: "ε at δ = \(result.record.delta)", xLabel: "steps", yLabel: "ε",
                    series: [series("ε") { $0.epsilon.isFinite ? $0.epsilon : nil }]
                ).svg)
        }
        return figures
    }

    /// What of the run's folder must not be published with this page.
    private var confidential: String {
        if configuration.secretSampling == nil {
            return "Of the run's folder, <code>checkpoints</code> is confidential: do not publish it."
        }
        return "Of the run's folder, <code>secret</code> and <code>checkpoints</code> tell who owns which example: "
            + "they are as confidential as the data. Do not publish them."
    }

    /// Without how batches are drawn, which the report tells of.
    private var configurationText: String {
        var configuration = configuration.published
        configuration.plan.sampling = nil
        let encoder = JSONEncoder.exact
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(configuration)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
