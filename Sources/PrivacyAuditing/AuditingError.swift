/// What is wrong with a request for an audit's result. Each case carries what is needed to repair the request.
public enum AuditingError: Error, Hashable, Sendable {
    /// A number is outside its range. `value` is text, so that NaN can be reported.
    case outOfRange(name: String, value: String, allowed: String)

    /// There are no scores of one kind. `name` says of which.
    case noScores(name: String)

    /// A score is not a number. `index` is its place among the scores of its kind.
    case notANumber(name: String, index: Int)

    /// A statistic of a plan's own family was asked for scores alone.
    case needsPlan(statistic: String)

    /// The plan promises something to somebody who is not one example.
    case unitNotAudited(unit: String)

    /// The data have another number of examples than the plan, with canaries or without.
    case exampleCountMismatch(planned: Int, canaries: Int, found: Int)

    /// Wrong labels were asked for, but targets are not two classes or more.
    case noClasses
}

extension AuditingError: CustomStringConvertible {
    /// One sentence for a person: what is wrong, what is allowed, what to do.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed). Pass a value in that range."
        case .noScores(let name):
            "There are no \(name) scores, but at least one is needed. Use more canaries."
        case .notANumber(let name, let index):
            "The \(name) score at index \(index) is NaN, but scores must be ordered. "
                + "Replace it by −∞ where an attack has no answer."
        case .needsPlan(let statistic):
            "Scores alone have no bound by \(statistic), which compares with the plan. Ask a PrivacyAudit for it."
        case .unitNotAudited(let unit):
            "The plan protects each \(unit), but canaries are examples. Audit a plan whose unit is the example."
        case .exampleCountMismatch(let planned, let canaries, let found):
            "The plan is for \(planned) examples, canaries among them, but the data have \(found). Give it "
                + "\(planned - canaries) examples beside \(canaries) canaries, or \(planned), the last of which give "
                + "up their places."
        case .noClasses:
            "Canaries with wrong labels need at least two classes. Use canaries that are gradients."
        }
    }
}

/// Range checks shared by every entry point, so that each wording exists once.
enum Check {
    @discardableResult
    static func confidence(_ value: Double) throws(AuditingError) -> Double {
        guard value > 0, value < 1 else {
            throw .outOfRange(name: "confidence", value: "\(value)", allowed: "in (0, 1)")
        }
        return value
    }

    /// A δ; above 0 for statistics of the Gaussian family, whose ε at δ = 0 is infinite.
    @discardableResult
    static func delta(_ value: Double, isPositive: Bool) throws(AuditingError) -> Double {
        guard value >= 0, value < 1, value > 0 || !isPositive else {
            throw .outOfRange(name: "delta", value: "\(value)", allowed: isPositive ? "in (0, 1)" : "in [0, 1)")
        }
        return value
    }

    @discardableResult
    static func probability(_ value: Double, _ name: String) throws(AuditingError) -> Double {
        guard value >= 0, value <= 1 else {
            throw .outOfRange(name: name, value: "\(value)", allowed: "in [0, 1]")
        }
        return value
    }

    @discardableResult
    static func count(
        _ value: Int, _ name: String, atLeast least: Int, atMost most: Int = .max
    ) throws(AuditingError) -> Int {
        guard value >= least, value <= most else {
            let allowed = most == .max ? "at least \(least)" : "in [\(least), \(most)]"
            throw .outOfRange(name: name, value: "\(value)", allowed: allowed)
        }
        return value
    }
}
