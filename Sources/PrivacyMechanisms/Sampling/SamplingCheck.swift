import Requirements

/// Range checks shared by the samplers, so that each wording exists once.
enum SamplingCheck {
    /// More bins than any run has steps in an epoch, few enough that a table of them fits into memory.
    static let bins = 1...1 << 24

    static func probability(_ value: Double) throws(PrivacyMechanismError) -> Double {
        guard (0...1).contains(value) else {
            throw .invalidSamplingParameter(name: "samplingProbability", value: "\(value)", allowed: "in [0, 1]")
        }
        return value
    }

    static func count(_ value: Int, _ name: String, atLeast least: Int = 0) throws(PrivacyMechanismError) -> Int {
        guard value >= least else {
            throw .invalidSamplingParameter(name: name, value: "\(value)", allowed: "at least \(least)")
        }
        return value
    }

    static func count(_ value: Int, _ name: String, in range: ClosedRange<Int>) throws(PrivacyMechanismError) -> Int {
        guard range.contains(value) else {
            throw .invalidSamplingParameter(
                name: name, value: "\(value)", allowed: "in \(range.lowerBound)...\(range.upperBound)")
        }
        return value
    }

    /// Which epoch a step belongs to, and its place in it.
    static func split(_ step: Int, by length: Int) -> (epoch: Int, place: Int) {
        require(step >= 0, "The batch of step \(step) was asked for, but steps begin at 0.")
        return (step / length, step % length)
    }
}

extension Int {
    /// ⌈self / divisor⌉ for self ≥ 0.
    package func dividedUp(by divisor: Int) -> Int { self / divisor + (self % divisor > 0 ? 1 : 0) }
}
