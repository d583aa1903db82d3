import Requirements

/// The state of noise that is correlated over steps: of sums alone, whose clip norm stays.
protocol CorrelatedNoiseState: ~Copyable, NoiseState {}

extension CorrelatedNoiseState where Self: ~Copyable {
    /// Traps: plans with counts, those of an adaptive clip norm, have no correlated noise.
    mutating func noisyCount(halves: Int, standardDeviation: Double) -> Double {
        fail("A count was to be noised beside sums with correlated noise, whose clip norm is fixed.")
    }
}
