/// A pair whose loss takes finitely many values. Masses need not sum to 1: of a lower end they sum to less.
struct AtomicPair: PrivacyLossPair {
    /// Ascending.
    private let losses: [Double]
    /// Mass of what lies before an atom, and of the atom and all after it. Each sum errs by a few ulps.
    private let (pBelow, pAbove, qBelow, qAbove): ([Double], [Double], [Double], [Double])

    struct Atom {
        let (loss, p, q): (Double, Double, Double)
    }

    /// What tells nothing: its loss is 0.
    static let nothing = AtomicPair([Atom(loss: 0, p: 1, q: 1)])

    /// Atoms by ascending loss. `lowest` is a mass of Q below all of them, where P has none: with it, Q sums to 1 at
    /// least, which sampling of the pair needs, as P of the sampled one is made of Q.
    init(_ atoms: [Atom], lowest: Double = 0) {
        losses = atoms.map(\.loss)
        pBelow = Self.sums(of: atoms.map(\.p))
        qBelow = Self.sums(of: atoms.map(\.q)).map { $0 + lowest }
        pAbove = Self.sums(of: atoms.reversed().map(\.p)).reversed()
        qAbove = Self.sums(of: atoms.reversed().map(\.q)).reversed()
    }

    /// The sums of the first 0, 1, 2, … masses.
    private static func sums(of masses: [Double]) -> [Double] {
        var sum = CompensatedSum()
        return [0]
            + masses.map { mass in
                sum.add(mass)
                return sum.value
            }
    }

    func tails(at loss: Double) -> LossTails {
        var (low, high) = (0, losses.count)
        while low < high {
            let middle = (low + high) / 2
            if losses[middle] <= loss { low = middle + 1 } else { high = middle }
        }
        return LossTails(pBelow: pBelow[low], pAbove: pAbove[low], qBelow: qBelow[low], qAbove: qAbove[low])
    }

    /// Some 500 groups of neighbouring atoms, each at the loss where it begins.
    func guideNodes() -> [GuideNode] {
        let size = max(1, losses.count / 500)
        return stride(from: 0, to: losses.count, by: size).map { start in
            let end = min(losses.count, start + size)
            return GuideNode(
                loss: losses[(start + end) / 2],
                p: mass(pBelow, pAbove, start, end), q: mass(qBelow, qAbove, start, end))
        }
    }

    private func mass(_ below: [Double], _ above: [Double], _ start: Int, _ end: Int) -> Double {
        max(0, below[end] < above[start] ? below[end] - below[start] : above[start] - above[end])
    }
}
