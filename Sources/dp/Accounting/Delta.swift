import Foundation

/// δ as people read it.
enum Delta {
    /// Four significant digits, rounded outward: an upper bound (`up`) is never shown smaller than it is, and a lower
    /// one never larger.
    static func text(_ delta: Double, up: Bool = true) -> String {
        let nearest = String(format: "%.4g", delta)
        guard let shown = Double(nearest), up ? shown < delta : shown > delta,
            let exponent = String(format: "%.3e", delta).split(separator: "e").last.flatMap({ Int($0) })
        else { return nearest }
        // One unit of the last digit further on.
        let unit = pow(10, Double(exponent - 3))
        return String(format: "%.4g", up ? shown + unit : shown - unit)
    }
}
