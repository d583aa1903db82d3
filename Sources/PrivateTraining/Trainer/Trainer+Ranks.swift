import Datasets
import PrivacyMechanisms
import Requirements

extension Trainer {
    /// Whether each rank holds a part of the data.
    private var holdsPart: Bool { ranks?.partCount != nil }

    /// What a claim takes for granted where each rank holds a part of the data.
    var partsNotCovered: [String] {
        holdsPart ? ["Examples that stand in the parts of several ranks: each of these adds their gradients."] : []
    }

    /// Throws on all ranks what ``fit(_:from:evaluatingOn:checkpoints:logger:onStep:)`` throws for data that do not fit
    /// the plan or are evaluated on, and ``RankError`` unless ranks have the same data, or each its own part.
    ///
    /// Traps if this rank's part has another size than was said.
    func check(_ data: any Dataset, _ evaluation: (any Dataset)?) throws {
        try ranks?.agreeOnParts()
        var (places, total) = (0..<data.count, data.count)
        if let ranks, let count = ranks.partCount {
            require(data.count == count, "A rank holds \(count) examples, but is to be trained on \(data.count).")
            (places, total) = ranks.places(ofPart: count)
        }
        let isEvaluated = try ranks.together {
            guard total == plan.sampling.exampleCount else {
                throw PlanError.dataSetSizeMismatch(planned: plan.sampling.exampleCount, found: total)
            }
            guard let evaluation, evaluation.count == total else { return false }
            return try data.hasSameExamples(as: DatasetPart(evaluation, places))
        }
        // An example that stands in two places could take part twice.
        let digest = try ranks.together { try ranks.map { _ in try data.digest() } }
        if let ranks, let digest {
            if holdsPart {
                try ranks.requireOtherParts(digest)
                let evaluated = try ranks.together { try evaluation?.digest() }
                try ranks.agree(onSecret: ["data to evaluate on (by their digest)": evaluated ?? "none"])
            } else {
                try ranks.agree(onSecret: ["data (by their digest)": digest])
            }
        }
        // Rank 0 alone may know what it evaluates on, unless each knows a part of what it must not be.
        let isTrainedOn = ranks.map { holdsPart ? $0.all(isEvaluated) : !$0.all(!isEvaluated) } ?? isEvaluated
        if isTrainedOn { throw TrainingError.evaluatesOnTrainingData(exampleCount: total) }
    }

    /// What the plan's normalization releases, once: of parts, all ranks add to it, and otherwise rank 0 alone, since
    /// every rank's own would be another release.
    func release(of data: any Dataset) throws -> ChannelNormalization? {
        func release(_ ranks: Ranks?) throws -> ChannelNormalization? {
            try plan.normalization?.release(
                of: data, plannedCount: plan.sampling.exampleCount, noise: plan.noise.independent,
                nonPrivateSeed: options.nonPrivateSeed, ranks: ranks)
        }
        return try holdsPart ? release(ranks) : ranks.fromFirst { try release(nil) }
    }
}
