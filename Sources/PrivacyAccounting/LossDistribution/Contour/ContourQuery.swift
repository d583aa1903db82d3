import Foundation

/// ε at δ and δ at ε of one direction of a composition, by ``ContourIntegral``: what is left out of each step, and
/// where the line runs, is chosen for the answer.
///
/// Both decide how close the ends are, never whether they hold.
struct ContourQuery {
    /// Both ends, and whether they are so close that nothing else needs to be asked.
    struct Answer {
        var (lower, upper): (Double, Double)
        var isSharp: Bool { upper <= lower * (1 + ContourQuery.sharpness) }
    }

    static let sharpness = 1e-4
    /// How much of δ may be left out of the steps.
    private static let lostShare = 1e-7

    private let model: LossModel
    private let guide: CumulantGuide

    /// Nil unless all losses are smooth.
    init?(_ model: LossModel) {
        let pairs = model.components.flatMap(\.parts).map(\.pair)
        guard pairs.allSatisfy({ $0.smoothPieces != nil }) else { return nil }
        self.model = model
        guide = CumulantGuide(model, tail: 0)
    }

    /// ε at δ > 0; nil where no line could be taken.
    func epsilon(delta: Double) -> Answer? {
        let tail = max(1e-300, Self.lostShare * delta / model.steps)
        guard let smooth = SmoothModel(model, tail: tail) else { return nil }
        let guide = guide.limited(tail: tail)
        var point = guide.choice(delta: delta).epsilon
        var best: Answer?
        for _ in 0..<4 {
            guard let line = ContourIntegral(smooth, tilt: guide.saddle(epsilon: point), near: point) else { break }
            let upper = line.upperEpsilon(delta: delta)
            let answer = Answer(lower: line.lowerEpsilon(delta: delta, below: upper), upper: upper)
            let improved = best.map { answer.upper < $0.upper * 0.999 || answer.lower > $0.lower * 1.001 } ?? true
            best = Answer(
                lower: max(answer.lower, best?.lower ?? 0), upper: min(answer.upper, best?.upper ?? .infinity))
            if best!.isSharp || !improved { break }
            point = best!.upper
        }
        return best
    }

    /// δ at ε < ∞; nil where no line could be taken.
    func delta(epsilon: Double) -> Answer? {
        var guess = guide.logDelta(epsilon: epsilon, steps: model.steps)
        var best: Answer?
        for _ in 0..<4 {
            let tail = max(1e-300, Self.lostShare * exp(guess) / model.steps)
            let guide = guide.limited(tail: tail)
            guard let smooth = SmoothModel(model, tail: tail),
                let line = ContourIntegral(smooth, tilt: guide.saddle(epsilon: epsilon), near: epsilon)
            else { break }
            let answer = line.bounds(epsilon: epsilon)
            let improved = best.map { answer.upper < 0.9 * $0.upper || answer.lower > 1.1 * $0.lower } ?? true
            best = Answer(lower: max(answer.lower, best?.lower ?? 0), upper: min(answer.upper, best?.upper ?? 1))
            if best!.isSharp || !improved { break }
            guess = log(best!.upper)
        }
        return best
    }
}

extension ContourIntegral {
    /// An ε ≥ 0 with δ(ε) ≤ `delta`, the least that the line proves; ∞ where it proves none.
    fileprivate func upperEpsilon(delta: Double) -> Double {
        if bounds(epsilon: 0).upper <= delta { return 0 }
        var (low, high) = (0.0, chernoffEpsilon(delta: delta))
        guard high.isFinite else { return .infinity }
        for _ in 0..<100 where high - low > 1e-9 * high {
            let middle = 0.5 * (low + high)
            if bounds(epsilon: middle).upper <= delta { high = middle } else { low = middle }
        }
        return high
    }

    /// An ε ≤ `upper` with δ(ε) ≥ `delta`, the greatest that the line proves; 0 where it proves none. Far below the ε
    /// that the line was taken for it proves nothing, so that the search begins at the upper end.
    fileprivate func lowerEpsilon(delta: Double, below upper: Double) -> Double {
        guard upper.isFinite else { return 0 }
        var (low, high, distance) = (upper, upper, 1e-9 * upper)
        while bounds(epsilon: low).lower < delta {
            guard low > 0, distance > 0 else { return 0 }
            (low, high) = (max(0, upper - distance), low)
            distance *= 4
        }
        for _ in 0..<100 where high - low > 1e-9 * high {
            let middle = 0.5 * (low + high)
            if bounds(epsilon: middle).lower >= delta { low = middle } else { high = middle }
        }
        return low
    }
}
