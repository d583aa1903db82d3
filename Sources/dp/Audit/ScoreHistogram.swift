import CommandLineSupport
import PrivacyAuditing

/// How the scores of canaries that were in, and of those that were out, are spread over the same bins.
struct ScoreHistogram {
    /// From the least finite score to the largest.
    let range: ClosedRange<Double>
    /// How many scores there are in each bin; infinite ones are in the first or the last.
    let included: [Int]
    let excluded: [Int]

    init(_ scores: CanaryScores, binCount: Int) {
        let finite = (scores.included + scores.excluded).filter(\.isFinite)
        let range = Axis.padded(finite.min() ?? 0, finite.max() ?? 0)
        func counts(_ scores: [Double]) -> [Int] {
            var counts = [Int](repeating: 0, count: max(1, binCount))
            for score in scores {
                let clamped = min(max(score, range.lowerBound), range.upperBound)
                let share = (clamped - range.lowerBound) / (range.upperBound - range.lowerBound)
                counts[min(counts.count - 1, Int(share * Double(counts.count)))] += 1
            }
            return counts
        }
        self.range = range
        included = counts(scores.included)
        excluded = counts(scores.excluded)
    }

    /// Two lines of bars in eighths of the tallest one, and what the ends of the axis are.
    var text: String {
        let tallest = max(1, (included + excluded).max() ?? 1)
        let bars = Array(" ▁▂▃▄▅▆▇█")
        func line(_ counts: [Int]) -> String {
            String(counts.map { bars[($0 * 8 + tallest - 1) / tallest] })
        }
        let (least, most) = (Decimals.text(range.lowerBound), Decimals.text(range.upperBound))
        let gap = String(repeating: " ", count: max(1, included.count - least.count - most.count))
        return "scores in   \(line(included))\nscores out  \(line(excluded))\n            \(least)\(gap)\(most)"
    }

    /// The same as a picture, with the threshold of a bound.
    func chart(_ threshold: Double) -> HistogramChart {
        HistogramChart(
            title: "Scores of canaries", xLabel: "score", yLabel: "canaries", range: range,
            series: [("in", included), ("out", excluded)], mark: (threshold, "threshold"))
    }
}
