import ArgumentParser
import PrivacyMechanisms

/// How sums are made private.
struct NoiseOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            How sums are made private: discreteGaussian, correlated, or floatingPointGaussian, for comparison. \
            (default: what the file says, or discreteGaussian)
            """)
    var noise: Given<NoiseKind>?

    @Option(
        parsing: .unconditional,
        help: """
            How noise is correlated over steps, fitted to the plan: blt, blt:BUFFERS, banded-toeplitz:BANDS, \
            banded-inverse:TERMS, dense, identity. Banded strategies are for cyclic-poisson sampling, all of them for \
            balls-in-bins and for shuffled-epochs that keep their order; where nothing is said, 'dp train' chooses.
            """)
    var strategy: Given<StrategyWord>?

    @OptionGroup var files: StrategyFileOptions
}

/// Where fitted strategies are kept.
struct StrategyFileOptions: ParsableArguments {
    @Option(
        help: "A JSON file of fitted strategies: read if it is there, and written with those that were fitted.",
        completion: .file(extensions: ["json"]))
    var strategies: String?
}

extension Settings {
    /// Sets the noise of the plan at `plan`, whatever stood there; the noise multiplier that was found for another one
    /// is given up where there is a budget.
    mutating func setNoise(_ options: NoiseOptions, in plan: String) {
        let (noise, strategy) = (options.noise, options.strategy)
        let (path, correlated) = (plan + "noise", NoiseScheme.correlatedKind)
        let isCorrelated = noise?.value?.name == correlated
        guard noise != nil || strategy != nil else { return }
        if let name = noise?.value?.name, strategy != nil, !isCorrelated {
            add("--strategy correlates noise over steps, but --noise is \(name): leave one of them out.")
        }
        if isCorrelated, strategy == nil {
            if self[path + ".kind"] == .text(correlated) { return }
            add("--strategy is missing: how noise is correlated. It is \(StrategyWord.expectation).")
            return
        }
        let isOther = strategy != nil || noise?.value.map { self[path + ".kind"] != $0.json } ?? false
        if self[plan + "epsilon"] != nil, isOther { remove(plan + "noiseMultiplier") }
        remove(path)
        set(path + ".strategy", to: strategy)
        set(path + ".kind", to: noise)
        // A word that means nothing has been noted.
        if let strategy, noise == nil, strategy.value != nil { complete(path + ".kind", with: .text(correlated)) }
        if let strategy, strategy.value == nil { remove(path) }
    }
}
