import Foundation

/// ε as people read it.
enum Epsilon {
    /// Four digits behind the point, rounded outward: an upper bound (`up`) is never shown smaller than it is, and a
    /// lower one never larger. From 10⁹ on, where neither says anything, five digits.
    static func text(_ epsilon: Double, up: Bool = true) -> String {
        guard epsilon.isFinite else { return "∞" }
        guard epsilon < 1e9 else { return roundedOutward(epsilon, digits: 5, up: up) }
        return String(format: "%.4f", (epsilon * 1e4).rounded(up ? .up : .down) / 1e4)
    }
}
