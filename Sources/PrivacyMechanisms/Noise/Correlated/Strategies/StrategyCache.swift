import Foundation
import Requirements

/// Strategies that were fitted before, by request and goal, for a file that can be shipped.
///
///     {"version": 1, "entries": [{"request": …, "goal": …, "strategy": …}, …]}
///
/// A file decides how good a strategy is, and nothing about privacy: a sensitivity is computed of the strategy that was
/// read.
public struct StrategyCache: Hashable, Sendable {
    /// All parameters of a fit.
    private struct Key: Hashable {
        let request: StrategyRequest
        let goal: StrategyGoal
    }

    private var strategies: [Key: CorrelationStrategy] = [:]

    /// An empty one.
    public init() {}

    /// How many strategies there are.
    public var count: Int { strategies.count }

    /// The strategy that was fitted to exactly this request and goal; nil if there is none. Traps if one is set that is
    /// of another kind than the request or of another number of steps than the goal.
    public subscript(request: StrategyRequest, goal: StrategyGoal) -> CorrelationStrategy? {
        get { strategies[Key(request: request, goal: goal)] }
        set {
            if let newValue {
                require(
                    newValue.kind == request.kind && newValue.steps == goal.steps,
                    "A strategy of kind \(newValue.kind) for \(newValue.steps) steps is not what \(request.kind) for "
                        + "\(goal.steps) steps asks for.")
            }
            strategies[Key(request: request, goal: goal)] = newValue
        }
    }

    /// The strategy for a request and a goal, from the cache if it is there; otherwise it is fitted, and kept.
    ///
    /// Throws as ``StrategyRequest/fitted(to:progress:)`` does.
    public mutating func strategy(
        for request: StrategyRequest, goal: StrategyGoal,
        progress: (_ iteration: Int, _ rootLoss: Double) -> Void = { _, _ in }
    ) throws(PrivacyMechanismError) -> CorrelationStrategy {
        if let known = self[request, goal] { return known }
        let strategy = try request.fitted(to: goal, progress: progress)
        self[request, goal] = strategy
        return strategy
    }
}

extension StrategyCache {
    /// Reads a file that ``write(to:)`` wrote.
    ///
    /// Throws ``PrivacyMechanismError/unreadableStrategies(path:reason:)`` if there is none, or it holds something
    /// else.
    public init(contentsOf path: String) throws(PrivacyMechanismError) {
        do {
            self = try JSONDecoder().decode(
                StrategyCache.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw .unreadableStrategies(path: path, reason: Self.reason(error))
        }
    }

    /// Replaces the file at `path` in one step: a reader sees the old one or the new one.
    ///
    /// Throws ``PrivacyMechanismError/unwritableStrategies(path:reason:)``, and then leaves the old one.
    public func write(to path: String) throws(PrivacyMechanismError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw .unwritableStrategies(path: path, reason: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.dataCorrupted(let context), DecodingError.keyNotFound(_, let context),
            DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
        case let error as PrivacyMechanismError: return "\(error)"
        default: return error.localizedDescription
        }
    }
}

extension StrategyCache: Codable {
    private static let version = 1

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case version, entries
    }

    private struct Entry: Codable {
        let request: StrategyRequest
        let goal: StrategyGoal
        let strategy: CorrelationStrategy
    }

    /// Decodes and checks: each strategy is of the kind and of the number of steps that was asked for, and no request
    /// stands there twice. Throws `DecodingError`, or ``PrivacyMechanismError`` for a number out of range.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .version)
        guard version == Self.version else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: container,
                debugDescription: "The version is \(version), but must be \(Self.version): fit the strategies again.")
        }
        for (index, entry) in try container.decode([Entry].self, forKey: .entries).enumerated() {
            guard entry.strategy.kind == entry.request.kind, entry.strategy.steps == entry.goal.steps else {
                throw DecodingError.dataCorruptedError(
                    forKey: .entries, in: container,
                    debugDescription: "The strategy of entry \(index) is \(entry.strategy.kind) for "
                        + "\(entry.strategy.steps) steps, but must be \(entry.request.kind) for \(entry.goal.steps).")
            }
            guard self[entry.request, entry.goal] == nil else {
                throw DecodingError.dataCorruptedError(
                    forKey: .entries, in: container,
                    debugDescription: "Entry \(index) has a request and goal that stand there already.")
            }
            self[entry.request, entry.goal] = entry.strategy
        }
    }

    /// Writes the entries in the order of their requests' and goals' descriptions, so that equal caches have equal
    /// files.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.version, forKey: .version)
        let entries = strategies.map { Entry(request: $0.key.request, goal: $0.key.goal, strategy: $0.value) }
        let ordered = entries.map { (name: "\($0.request) \($0.goal)", entry: $0) }.sorted { $0.name < $1.name }
        try container.encode(ordered.map(\.entry), forKey: .entries)
    }
}
