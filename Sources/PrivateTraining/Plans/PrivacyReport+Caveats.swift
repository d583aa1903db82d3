import PrivacyMechanisms

extension PrivacyReport {
    /// What every promise rests on, beside what the sampler assumes.
    static let assumptions =
        "AES-128 in counter mode is a pseudo-random function. The gradient of an example depends on that example and "
        + "the parameters alone, in every bit."

    /// What is not covered, one sentence each.
    static func caveats(
        of plan: PrivacyPlan, steps: Int, isSeeded: Bool, interruptions: Int
    ) -> [String] {
        var sentences = [
            "Hyperparameters that were chosen by looking at the data, or at other runs on it.",
            "Other releases from the same data: losses, gradient norms or accuracies on it, other models.",
            "Evaluation data, which is used as it is.",
            plan.isExact
                ? "Running times."
                : "Rounding: attacks on the low-order bits of floating-point noise and sums, and running times.",
        ]
        if let correlation = plan.noise.correlation, correlation.strategy.bands > 1 {
            sentences.append(
                correlation.isDiscrete
                    ? "Memory and checkpoints of the run, which hold un-noised sums of its last steps: they are as "
                        + "secret as the data."
                    : "Memory and checkpoints of the run, which hold noise of released steps: they are as secret as "
                        + "the data.")
            if !correlation.isDiscrete {
                sentences.append(
                    "Errors of Float64 arithmetic in the noise before it is rounded to the grid.")
            }
        }
        // Copies of a seeded run's are one and the same.
        if !isSeeded {
            sentences.append(
                isCorrelated(plan) ? aboutCorrelatedCopies(of: plan) : aboutCopies(plan.sampling.repetition))
        }
        if plan.relation == .addOrRemoveOne {
            sentences.append(
                "The planned number of \(plan.unit.rawValue)s, the expected batch size and the sampling probability.")
        } else if plan.unit == .user {
            sentences.append("The number of users, which is published.")
        } else {
            sentences.append("The size of the data set, which is published.")
        }
        if plan.unit == .example {
            sentences.append("A person with k examples: protected like a group of k, not like one.")
        }
        if plan.noiseMultiplier == 0 || plan.normalization?.noiseMultiplier == 0 {
            sentences.append("Anyone at all: there is no noise.")
        }
        if plan.delta * Double(plan.unitCount) >= 1 {
            sentences.append(
                "One \(plan.unit.rawValue) in full: δ = \(plan.delta) is no less than one over the number of "
                    + "\(plan.unit.rawValue)s, and publishing a random one would satisfy it.")
        }
        if steps < plan.iterations {
            sentences.append(
                "The decision to stop after \(steps) steps, if it was made by looking at results: then the ε of all "
                    + "\(plan.iterations) planned steps holds.")
        }
        if isSeeded {
            sentences.append(
                "Anyone who must be protected from somebody who knows the seed: noise and sampling can be replayed.")
        }
        if interruptions > 0 {
            sentences.append(
                "Parameters, evaluations and logs of steps that were lost when the run was interrupted "
                    + "(\(interruptions) times), if anyone saw them: "
                    + (isCorrelated(plan)
                        ? "their noise is correlated with that of other steps, and each time counts as one more run."
                        : plan.sampling.repetition == .drawsAnew
                            ? "each counts as one more step."
                            : "each counts as one more step, without amplification by sampling."))
        }
        return sentences
    }

    /// Whether outcomes of a step tell of examples that took part in earlier ones.
    private static func isCorrelated(_ plan: PrivacyPlan) -> Bool {
        plan.noise.correlation.map { $0.strategy.bands > 1 } ?? false
    }

    private static func aboutCorrelatedCopies(of plan: PrivacyPlan) -> String {
        "Copies of a checkpoint that are both trained on: ε is that of one of them. Their noise is that of one "
            + "strategy, twice: who sees both has seen two runs, and the second counts in full"
            + (plan.sampling.repetition == .drawsAnew
                ? ", with one participation more, without amplification, of examples whose turn was at the checkpoint."
                : ".")
    }

    private static func aboutCopies(_ repetition: BatchRepetition) -> String {
        "Copies of a checkpoint that are both trained on: ε is that of one of them. "
            + (repetition == .drawsAnew
                ? "They draw batches of their own under noise of their own; who sees both has seen the steps of both, "
                    + "and each counts."
                : "They have the same batches under noise of their own; who sees both has seen each of these batches "
                    + "twice, and the second time counts in full, without amplification by sampling.")
    }
}
