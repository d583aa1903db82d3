/// Range checks shared by the strategies, so that each wording exists once.
enum StrategyCheck {
    /// More steps than any run has, few enough that a vector of them fits into memory.
    static let steps = 1...1 << 24

    /// Far enough from Float64's ends that sums of squares neither overflow nor lose precision below the normal range.
    static let largest = 1e100

    static func steps(_ value: Int) throws(PrivacyMechanismError) -> Int {
        try count(value, "steps", in: steps)
    }

    static func count(_ value: Int, _ name: String, in range: ClosedRange<Int>) throws(PrivacyMechanismError) -> Int {
        guard range.contains(value) else {
            let allowed =
                range.count == 1 ? "\(range.lowerBound)" : "in \(range.lowerBound)...\(range.upperBound)"
            throw .invalidStrategy(name: name, value: "\(value)", allowed: allowed)
        }
        return value
    }

    static func positive(_ value: Int, _ name: String) throws(PrivacyMechanismError) {
        guard value >= 1 else { throw .invalidStrategy(name: name, value: "\(value)", allowed: "at least 1") }
    }

    /// Coefficients of a Toeplitz matrix: the first is 1.
    static func coefficients(
        _ values: [Double], _ name: String, steps: Int
    ) throws(PrivacyMechanismError) -> [Double] {
        _ = try count(values.count, "The number of \(name)", in: 1...steps)
        guard values[0] == 1 else {
            throw .invalidStrategy(
                name: "The first of \(name)", value: "\(values[0])",
                allowed: "1: divide all of them by the first, which changes no noise")
        }
        for (index, value) in values.enumerated() where !(abs(value) <= largest) {
            throw .invalidStrategy(name: "\(name)[\(index)]", value: "\(value)", allowed: "in -1e100...1e100")
        }
        return values
    }

    /// A number that is above `least` and below `most`.
    static func number(
        _ value: Double, _ name: String, above least: Double, below most: Double
    ) throws(PrivacyMechanismError) -> Double {
        guard value > least, value < most else {
            throw .invalidStrategy(name: name, value: "\(value)", allowed: "above \(least) and below \(most)")
        }
        return value
    }
}
