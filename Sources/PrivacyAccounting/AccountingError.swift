/// What is wrong with a request to an accountant. Each case carries what is needed to repair the request.
public enum AccountingError: Error, Hashable, Sendable {
    /// A number is outside its range. `value` is text, so that NaN and overflowing counts can be reported.
    case outOfRange(name: String, value: String, allowed: String)

    /// The accountant has no valid bound for this event under this relation.
    case unsupported(event: String, relation: NeighboringRelation, accountant: String)
    /// Nobody knows what noise of this kind costs under this sampling.
    case notAnalyzed(what: String, remedy: String)

    /// No value of `parameter` in its range meets the budget; `best` is the least ε reachable at this δ.
    case unattainable(parameter: String, epsilon: Double, delta: Double, best: Double, remedy: String)
}

extension AccountingError: CustomStringConvertible {
    /// One sentence for a person: what is wrong, what is allowed, what to do.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed). Pass a value in that range."
        case .unsupported(let event, let relation, let accountant):
            "The \(accountant) accountant has no bound for \(event) under \(relation.rawValue). "
                + "Ask another accountant, another neighbouring relation, or account a mechanism that is known."
        case .notAnalyzed(let what, let remedy):
            "There is no analysis of \(what): \(remedy)."
        case .unattainable(let parameter, let epsilon, let delta, let best, let remedy):
            "No \(parameter) meets (\(epsilon), \(delta)): the least ε reachable is \(best). \(remedy)"
        }
    }
}

/// Range checks shared by every entry point, so that each wording exists once.
enum Check {
    @discardableResult
    static func delta(_ value: Double) throws(AccountingError) -> Double {
        guard value >= 0, value < 1 else {
            throw .outOfRange(name: "delta", value: "\(value)", allowed: "in [0, 1)")
        }
        return value
    }

    @discardableResult
    static func epsilon(_ value: Double) throws(AccountingError) -> Double {
        guard value >= 0 else {
            throw .outOfRange(name: "epsilon", value: "\(value)", allowed: "in [0, ∞]")
        }
        return value
    }

    @discardableResult
    static func probability(_ value: Double, _ name: String = "samplingProbability") throws(AccountingError) -> Double {
        guard value >= 0, value <= 1 else {
            throw .outOfRange(name: name, value: "\(value)", allowed: "in [0, 1]")
        }
        return value
    }

    @discardableResult
    static func nonNegative(_ value: Double, _ name: String) throws(AccountingError) -> Double {
        guard value >= 0 else {
            throw .outOfRange(name: name, value: "\(value)", allowed: "in [0, ∞]")
        }
        return value
    }

    @discardableResult
    static func finiteNonNegative(_ value: Double, _ name: String) throws(AccountingError) -> Double {
        guard value >= 0, value.isFinite else {
            throw .outOfRange(name: name, value: "\(value)", allowed: "in [0, ∞)")
        }
        return value
    }

    @discardableResult
    static func count(_ value: Int, _ name: String, atLeast least: Int = 0) throws(AccountingError) -> Int {
        guard value >= least else {
            throw .outOfRange(name: name, value: "\(value)", allowed: "at least \(least)")
        }
        return value
    }

    /// How often two phases run together.
    static func sum(_ a: Int, _ b: Int) throws(AccountingError) -> Int {
        let (total, overflow) = a.addingReportingOverflow(b)
        guard !overflow else {
            throw .outOfRange(name: "count", value: "\(a) + \(b)", allowed: "at most \(Int.max)")
        }
        return total
    }

    /// How often a phase runs that is repeated in what is repeated.
    static func product(_ a: Int, _ b: Int) throws(AccountingError) -> Int {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        guard !overflow else {
            throw .outOfRange(name: "count", value: "\(a) × \(b)", allowed: "at most \(Int.max)")
        }
        return product
    }
}
