import Crypto
import Foundation
import PrivacyMechanisms
import PyTrees

extension PrivateRun {
    /// The blocks of a batch that this rank adds: all of what it drew itself; of a batch that all have drawn, dealt out
    /// in turn, and small enough that every rank gets some.
    static func blocks(of batch: Batch, ofAtMost rows: Int?, addedBy ranks: Ranks?) -> [Batch] {
        guard let ranks, ranks.partCount == nil else { return batch.blocks(ofAtMost: rows) }
        let share = max(1, (batch.count + ranks.count - 1) / ranks.count)
        let blocks = batch.blocks(ofAtMost: min(rows ?? share, share))
        return stride(from: ranks.rank, to: blocks.count, by: ranks.count).map { blocks[$0] }
    }

    /// Throws ``/PrivacyMechanisms/RankError`` on all ranks unless they have the same parameters: those of processors
    /// that compute differently could drift apart.
    func requireEqualRanks() throws {
        try ranks?.requireEqual(plan, optimizer, vector, stepsTaken: stepsTaken, seed: nonPrivateSeed)
    }
}

extension PrivacyPlan {
    /// What this rank draws batches by: of all examples, or of the part that it holds.
    ///
    /// Throws on all ranks ``RankError`` unless all hold their data in the same way, and what
    /// ``PrivateRun/init(_:optimizer:parameters:ranks:)`` throws for parts that do not fit the plan.
    func sampling(by ranks: Ranks?) throws -> SamplingScheme {
        guard let ranks else { return sampling }
        try ranks.agreeOnParts()
        guard let count = ranks.partCount else { return sampling }
        let total = ranks.places(ofPart: count).total
        guard total == sampling.exampleCount else {
            throw PlanError.dataSetSizeMismatch(planned: sampling.exampleCount, found: total)
        }
        return try sampling.part(of: count)
    }
}

extension Ranks {
    /// Throws ``/PrivacyMechanisms/RankError`` on all ranks unless what a run is made of is the same on all of them.
    /// The plan of a run may say who owns which example: no error tells its digest.
    func requireEqual<Optimizer: AugmentedGradientTransformation>(
        _ plan: PrivacyPlan, _ optimizer: Optimizer, _ parameters: ParameterVector, stepsTaken: Int, seed: UInt64?
    ) throws {
        try agree(on: [
            "version of this package": PackageVersion.current, "optimizer": Optimizer.identifier,
            "number of steps taken": "\(stepsTaken)", "seed": seed.map { "\($0)" } ?? "none",
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let coded = try encoder.encode(plan)
        // Of ranks that divide the updates, others would go unnoticed: each has the parameters that all have made.
        let hyperparameters = try (optimizer as? any Encodable).map { try SHA256.hash(data: encoder.encode($0)) }
        let values = parameters.values.withUnsafeBytes { SHA256.hash(data: $0) }
        try agree(onSecret: [
            "plan (by its digest)": SHA256.hash(data: coded).hexadecimal,
            "hyperparameters of the optimizer (by their digest)": hyperparameters?.hexadecimal ?? "none",
            "parameters (by their digest)": values.hexadecimal,
        ])
    }
}
