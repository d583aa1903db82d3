import Foundation

/// A number with some significant digits, as an upper bound (`up`) or a lower one: never shown smaller than it is, or
/// never larger.
func roundedOutward(_ value: Double, digits: Int, up: Bool) -> String {
    let nearest = String(format: "%.\(digits)g", value)
    guard let shown = Double(nearest), up ? shown < value : shown > value,
        let exponent = String(format: "%.\(digits - 1)e", value).split(separator: "e").last.flatMap({ Int($0) })
    else { return nearest }
    // One unit of the last digit further on.
    let unit = pow(10, Double(exponent - digits + 1))
    return String(format: "%.\(digits)g", up ? shown + unit : shown - unit)
}
