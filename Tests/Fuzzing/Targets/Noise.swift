import PrivacyMechanisms

@testable import dp

extension FuzzTarget {
    /// A noise mechanism as plans name it, correlated ones with their strategies.
    static let noise = FuzzTarget(name: "noise") { bytes in
        _ = try roundTrip(NoiseScheme.self, bytes)
    }

    /// A strategy of correlated noise: what was read comes back the same, and has a sensitivity.
    static let strategy = FuzzTarget(
        name: "strategy", seeds: { try FormatSeeds.objects(of: Formats.strategy) }
    ) { bytes in
        let strategy = try roundTrip(CorrelationStrategy.self, bytes)
        guard strategy.steps <= 256 else { return }
        let once = strategy.sensitivity(participations: 1, separation: 1, steps: strategy.steps)
        let twice = strategy.sensitivity(participations: 2, separation: 3, steps: strategy.steps)
        expect(once <= twice || strategy.steps <= 3 || twice.isNaN, "Two participations cost less than one.")
        _ = strategy.epochSensitivity(length: 4, steps: strategy.steps)
    }

    /// A file of fitted strategies.
    static let strategies = FuzzTarget(name: "strategies") { bytes in
        checkRoundTrip(try StrategyCache(contentsOf: ScratchFile.holding(bytes)))
    }
}
