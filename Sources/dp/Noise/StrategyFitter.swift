import CommandLineSupport
import Foundation
import PrivacyMechanisms

/// Fits strategies, or takes them from a file of those that were fitted before.
final class StrategyFitter {
    /// The file; nil where nothing is kept.
    private let path: String?
    private var cache: StrategyCache
    private let progress = ProgressLine()

    /// Reads the file if it is there. Throws ``PrivacyMechanisms/PrivacyMechanismError/unreadableStrategies`` if it
    /// holds something else.
    init(file path: String?) throws {
        self.path = path
        cache =
            if let path, FileManager.default.fileExists(atPath: path) {
                try StrategyCache(contentsOf: path)
            } else {
                StrategyCache()
            }
    }

    /// The strategy from the file, or fitted, and then written to the file at once: a long fit is not lost with what
    /// comes after it. On a terminal, a line says how far a fit has come, ten times a second at most.
    ///
    /// Throws what fitting throws, and ``PrivacyMechanisms/PrivacyMechanismError/unwritableStrategies``.
    func strategy(for request: StrategyRequest, goal: StrategyGoal) throws -> CorrelationStrategy {
        let count = cache.count
        var lastShown: ContinuousClock.Instant?
        defer { progress.clear() }
        let strategy = try cache.strategy(for: request, goal: goal) { iteration, loss in
            let now = ContinuousClock.now
            if let lastShown, lastShown.duration(to: now) < .milliseconds(100) { return }
            lastShown = now
            progress.show([
                "fitting \(request.kind) to \(goal.steps) steps", "iteration \(iteration)",
                "error \(Decimals.text(loss))",
            ])
        }
        if let path, cache.count > count { try cache.write(to: path) }
        return strategy
    }
}
