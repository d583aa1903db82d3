/// The search for a tilt whose window holds the answer: down or up by factors of 4, at last no tilt at all, then by
/// bisection where one window was too low and another too high.
///
/// Every window's answer is proven. The search makes the answer tight, never valid.
struct TiltSearch {
    /// The tilt to try next.
    private(set) var tilt: Double
    private(set) var isDone = false
    private var (low, high): (Double?, Double?)
    private let most: Double

    /// Starts at `tilt`, or at 700/h where that is less. 700/h weighs a grid point e⁷⁰⁰ times as much as its neighbour
    /// below, more than any two masses in Float64 above 10⁻³⁰⁰ differ: the tilted sum is at its largest loss already.
    init(_ tilt: Double, interval h: Double) {
        most = 700 / h
        self.tilt = min(tilt, most)
    }

    /// Takes in what the window of ``tilt`` has shown. `isBetter` says whether its answer beats those before it.
    mutating func learn(_ place: TiltedComposition.Place, isBetter: Bool) {
        switch place {
        case .inside: isDone = true
        case .below: high = tilt
        case .above:
            // The bounds beyond a window are convex in the tilt: the best one lies behind.
            if low != nil, !isBetter { isDone = true }
            low = tilt
        }
        if let low, let high {
            // Within a factor of 1.5 the windows overlap, and more would cost more than it gains.
            if high < 1.5 * low || low == 0 { isDone = true }
            tilt = (low * high).squareRoot()
        } else if high != nil {
            if tilt == 0 { isDone = true }
            tilt = tilt > 1e-3 ? tilt / 4 : 0
        } else {
            if tilt == most { isDone = true }
            tilt = min(most, max(4 * tilt, 1e-3))
        }
    }
}
