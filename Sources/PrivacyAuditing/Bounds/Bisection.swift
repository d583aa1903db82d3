/// Bisection of the place where a condition changes.
enum Bisection {
    /// Narrows [low, high] around the point where `isLow` changes from true to false, to a relative width of 2⁻³⁶ or
    /// an absolute one of 2⁻⁶⁰. Both ends keep their sides.
    static func bracket(low: Double, high: Double, isLow: (Double) -> Bool) -> (low: Double, high: Double) {
        var (low, high) = (low, high)
        while high - low > max(high * 0x1p-36, 0x1p-60) {
            let middle = low + (high - low) / 2
            if isLow(middle) { low = middle } else { high = middle }
        }
        return (low, high)
    }

    /// The largest number found at which `isRejected` holds, from `start` upward; `start` if it does not hold there.
    ///
    /// It must not hold at any number above one at which it does not.
    static func greatest(from start: Double, atMost limit: Double, isRejected: (Double) -> Bool) -> Double {
        guard isRejected(start) else { return start }
        var (low, step) = (start, 1.0)
        while low + step < limit, isRejected(low + step) {
            low += step
            step *= 2
        }
        return bracket(low: low, high: min(limit, low + step), isLow: isRejected).low
    }
}
