import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAuditing

/// What an audit found.
struct AuditResult {
    let report: AuditReport
    let scores: CanaryScores
    let request: AuditRequest
    let modelName: String
    let seconds: Double

    /// The status of `dp audit` for a claim that is refuted.
    static let refuted = ExitCode(3)

    /// What the process that found this ends with.
    var exitCode: ExitCode { report.survived ? .success : Self.refuted }

    /// The last line of `--format json`.
    struct Record: Codable {
        /// What the accountant claims; infinite without noise.
        let epsilon: Double
        let delta: Double
        /// What the deciding statistic found.
        let lowerBound: Double
        let statistic: String
        let confidence: Double
        let canaries: Int
        let survived: Bool
    }

    var record: Record {
        Record(
            epsilon: report.epsilon, delta: report.delta, lowerBound: report.bound.epsilon,
            statistic: report.bound.statistic.rawValue, confidence: report.bound.confidence,
            canaries: report.canaryCount, survived: report.survived)
    }

    /// A line of the table.
    struct Row: Encodable {
        let statistic: String
        let lowerBound: String
        let epsilon: String
        let survived: String
        let premise: String
        let decides: String
    }

    /// The bounds of all statistics, in their order.
    var rows: [Row] {
        report.bounds.map { bound in
            Row(
                statistic: bound.statistic.rawValue, lowerBound: Epsilon.text(bound.epsilon, up: false),
                epsilon: Epsilon.text(report.epsilon), survived: bound.epsilon <= report.epsilon ? "yes" : "no",
                premise: bound.statistic.premise, decides: bound == report.bound ? "◀ decides" : "")
        }
    }

    /// Numbers that do not differ from statistic to statistic.
    var facts: [(name: String, value: String)] {
        let area = report.areaUnderCurve
        let numbers = [area.value, area.lower, area.upper].map { String(format: "%.3f", $0) }
        var facts = [
            ("δ", "\(report.delta)"), ("confidence", "\(report.bound.confidence) of each bound by itself"),
            ("threshold", "\(Decimals.text(report.bound.threshold)), of the bound that decides"),
            (
                "canaries",
                "\(grouped(report.canaryCount)): \(grouped(scores.included.count)) in, "
                    + "\(grouped(scores.excluded.count)) out; \(request.kind.name)"
            ),
            ("runs", "\(request.runs)"),
            ("ROC area", "\(numbers[0]), from \(numbers[1]) to \(numbers[2]): it describes, and proves nothing"),
            ("seconds", String(format: "%.1f", seconds)),
        ]
        if let seed = request.nonPrivateSeed {
            facts.append(("seed", "\(seed): coins that are known beforehand give no confidence"))
        }
        return facts
    }

    /// What it means.
    var verdict: String {
        let (bound, epsilon) = (Epsilon.text(report.bound.epsilon, up: false), Epsilon.text(report.epsilon))
        guard report.survived else {
            let premise = report.bound.statistic.premise
            let granted = premise == "nothing" ? "" : " (taken for granted: \(premise))"
            return "The claim did not survive: the run gave away ε ≥ \(bound), but ε = \(epsilon) is "
                + "promised\(granted). What ran is not as private as its plan says, or a chance of at most "
                + "\(roundedOutward(1 - report.bound.confidence, digits: 2, up: true)) came true: audit again, and do "
                + "not rely on the promise until it is explained."
        }
        return "The claim survived: nothing was found that ε = \(epsilon) rules out. An audit that finds nothing "
            + "proves nothing."
    }

    /// Prints the table, the histograms and the verdict, or the record.
    func show(as format: OutputFormat) throws {
        if format == .json { return try printJSONLine(record) }
        let terminal = Terminal.output
        let columns: [RecordTable<Row>.Column] = [
            .words("statistic") { $0.statistic },
            .numbers("lower bound on ε") { $0.lowerBound },
            .numbers("accountant's ε") { $0.epsilon },
            .words("survived") { $0.survived },
            .words("takes for granted") { $0.premise },
            .words("") { $0.decides },
        ]
        print(RecordTable(rows, columns: columns).text(width: terminal.columns))
        let lines = facts.map { "\($0.name.padding(toLength: 12, withPad: " ", startingAt: 0))\($0.value)" }
        print(wrapped((lines + [""]).joined(separator: "\n"), columns: terminal.columns))
        print(ScoreHistogram(scores, binCount: min(60, terminal.columns - 12)).text + "\n")
        print(wrapped(report.survived ? verdict : terminal.bold(verdict), columns: terminal.columns))
    }

    /// A page with all of it.
    var html: String {
        let histogram = ScoreHistogram(scores, binCount: 40)
        let header = ["statistic", "lower bound on ε", "accountant's ε", "survived", "takes for granted", ""]
        let cells =
            [header]
            + rows.map { [$0.statistic, $0.lowerBound, $0.epsilon, $0.survived, $0.premise, $0.decides] }
        let table = cells.map { row in
            "<tr>" + row.map { "<td>\(WebPage.escaped($0))</td>" }.joined() + "</tr>"
        }.joined(separator: "\n")
        return WebPage(
            title: "Privacy audit: \(modelName)", rows: facts, figures: [histogram.chart(report.bound.threshold).svg],
            rest: """
                <h2>Lower bounds on ε</h2>
                <table>
                \(table)
                </table>
                <p>\(WebPage.escaped(verdict))</p>
                """
        ).html
    }
}
