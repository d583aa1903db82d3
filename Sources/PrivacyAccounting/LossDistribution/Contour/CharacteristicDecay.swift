import Foundation

/// How small |E_P[e^{(θ + iτ)L}]|/E_P[e^{θL}] is at high frequencies, by a part of the tilted law of L that is uniform:
/// with probability p over a stretch of length w. Then it is at most 1 − p + p·|sin(τw/2)/(τw/2)|.
///
/// **Guarantee:** ``logBound(frequency:)`` is an upper bound on its logarithm, and does not grow with τ. The density is
/// bounded from below between two points of a piece by its values there and by ``SmoothPiece/curvature``.
struct CharacteristicDecay {
    private var parts: [(mass: Double, width: Double)] = []

    /// Of the law tilted by θ, whose moment E_P[e^{θL}] is e^`logMoment`.
    init(_ component: SmoothModel.Component, tilt: Double, logMoment: Double) {
        for piece in component.pieces {
            let step = min(0.1, 0.4 / piece.steepness)
            let count = Int(((piece.range.upperBound - piece.range.lowerBound) / step).rounded(.up))
            var (losses, logs, masses, slopes): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
            for k in 0...count {
                let x = min(piece.range.upperBound, piece.range.lowerBound + Double(k) * step)
                let o = piece.outcome(x)
                let mass = o.logDensity + (1 + tilt) * o.loss - logMoment
                losses.append(o.loss)
                masses.append(mass)
                logs.append(mass - log(abs(o.slope)))
                slopes.append(abs(o.slope))
            }
            // Of each cell between two points.
            let floors = (0..<count).map { k in
                let curvature = piece.curvature(1 + tilt, max(slopes[k], slopes[k + 1]))
                return min(logs[k], logs[k + 1]) - curvature * step * step / 8 - 1e-9
            }
            guard let peak = masses.indices.dropLast().max(by: { masses[$0] < masses[$1] }) else { continue }
            for level in [0.3, 0.7, 1.2, 2, 3, 4.5] {
                let least = floors[peak] - level
                var (low, high) = (peak, peak)
                while low > 0, floors[low - 1] >= least { low -= 1 }
                while high < count - 1, floors[high + 1] >= least { high += 1 }
                let width = abs(losses[high + 1] - losses[low]) * (1 - 1e-9)
                let floor = floors[low...high].min()!
                if width > 0, floor.isFinite { parts.append((min(1, exp(floor) * width), width)) }
            }
        }
    }

    /// An upper bound on the logarithm at τ and beyond.
    func logBound(frequency: Double) -> Double {
        var drop = 0.0
        for (mass, width) in parts { drop = max(drop, mass * Self.fall(0.5 * frequency * width)) }
        return log1p(-min(drop, 1 - 1e-9))
    }

    /// At most 1 − sup_{y ≥ x} |sin y/y|: the sine lies below its series to x⁵ up to x = 2, and below 1 everywhere.
    private static func fall(_ x: Double) -> Double {
        if x >= 2 { return 1 - 1 / x }
        return min(0.5, max(0, x * x / 6 * (1 - x * x / 20)))
    }
}
