/// The ROC curve of an attack: true against false positive rates over all thresholds. It describes, and proves nothing.
struct AttackCurve {
    /// Rates from (0, 0) to (1, 1), one for each distinct score.
    let corners: [Corner]

    typealias Corner = (falsePositiveRate: Double, truePositiveRate: Double)

    init(_ scores: CanaryScores) {
        corners =
            scores.distinct.reversed().map { score in
                let guesses = scores.guesses(above: score)
                return (guesses.falsePositiveRate, guesses.truePositiveRate)
            } + [(1, 1)]
    }

    /// The area under the straight lines between corners. Of all of them it is the probability that an included canary
    /// has the larger score, ties counted half; of the hull's, at least that.
    static func area(under corners: [Corner]) -> Double {
        zip(corners, corners.dropFirst()).reduce(0) { sum, side in
            let width = side.1.falsePositiveRate - side.0.falsePositiveRate
            return sum + width * (side.0.truePositiveRate + side.1.truePositiveRate) / 2
        }
    }

    /// max (1 + TPR − FPR)/2.
    var accuracy: Double {
        corners.map { (1 + $0.truePositiveRate - $0.falsePositiveRate) / 2 }.max()!
    }

    /// The height of the concave hull at a false positive rate in [0, 1]: a threshold may be drawn at random.
    func truePositiveRate(at falsePositiveRate: Double) -> Double {
        let hull = hull
        guard let end = hull.firstIndex(where: { $0.falsePositiveRate > falsePositiveRate }) else { return 1 }
        let (left, right) = (hull[end - 1], hull[end])
        let part =
            (falsePositiveRate - left.falsePositiveRate) / (right.falsePositiveRate - left.falsePositiveRate)
        return left.truePositiveRate + part * (right.truePositiveRate - left.truePositiveRate)
    }

    /// The corners of the concave hull, without those below or on the line between their neighbours.
    var hull: [Corner] {
        var result: [Corner] = []
        for corner in corners {
            while let last = result.last {
                let before = result.count > 1 ? result[result.count - 2] : (last.falsePositiveRate, -1)
                let turn =
                    (last.falsePositiveRate - before.0) * (corner.truePositiveRate - before.1)
                    - (last.truePositiveRate - before.1) * (corner.falsePositiveRate - before.0)
                guard turn >= 0 else { break }
                result.removeLast()
            }
            result.append(corner)
        }
        return result
    }
}
