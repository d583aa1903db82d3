import Foundation

/// P = Lap(1, b), Q = Lap(0, b), for a real-valued query: L = clamp((2x − 1)/b) for x in [0, 1], with atoms at ±1/b.
struct LaplacePair: PrivacyLossPair {
    let scale: Double

    func tails(at loss: Double) -> LossTails {
        let bound = 1 / scale
        if loss < -bound { return LossTails(pBelow: 0, pAbove: 1, qBelow: 0, qAbove: 1) }
        if loss >= bound { return LossTails(pBelow: 1, pAbove: 0, qBelow: 1, qAbove: 0) }
        // {L > loss} is {x > (1 + b·loss)/2}.
        let x = (1 + scale * loss) / 2
        let zeroAbove = 0.5 * exp(-x / scale)
        let oneBelow = 0.5 * exp((x - 1) / scale)
        return LossTails(pBelow: oneBelow, pAbove: 1 - oneBelow, qBelow: 1 - zeroAbove, qAbove: zeroAbove)
    }

    func guideNodes() -> [GuideNode] {
        let (bound, steps) = (1 / scale, 200)
        var nodes = [-bound, bound].map { loss in
            let (likely, rare) = (0.5, 0.5 * exp(-bound))
            return GuideNode(loss: loss, p: loss > 0 ? likely : rare, q: loss > 0 ? rare : likely)
        }
        for step in 0..<steps {
            let x = (Double(step) + 0.5) / Double(steps)
            let width = 0.5 / scale / Double(steps)
            nodes.append(
                GuideNode(
                    loss: (2 * x - 1) / scale, p: width * exp((x - 1) / scale), q: width * exp(-x / scale)))
        }
        return nodes
    }
}
