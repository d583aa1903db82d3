import Crypto
import Foundation
import PrivacyMechanisms
import PyTrees

extension PrivateRun {
    /// The blocks of a batch that this rank adds: dealt out in turn, and small enough that every rank gets some.
    static func blocks(of batch: Batch, ofAtMost rows: Int?, addedBy ranks: Ranks?) -> [Batch] {
        guard let ranks else { return batch.blocks(ofAtMost: rows) }
        let share = max(1, (batch.count + ranks.count - 1) / ranks.count)
        let blocks = batch.blocks(ofAtMost: min(rows ?? share, share))
        return stride(from: ranks.rank, to: blocks.count, by: ranks.count).map { blocks[$0] }
    }

    /// Throws ``/PrivacyMechanisms/RankError`` on all ranks unless they have the same parameters: those of processors
    /// that compute differently could drift apart.
    func requireEqualRanks() throws {
        try ranks?.requireEqual(plan, Optimizer.self, vector, stepsTaken: stepsTaken, seed: nonPrivateSeed)
    }
}

extension Ranks {
    /// Throws ``/PrivacyMechanisms/RankError`` on all ranks unless what a run is made of is the same on all of them.
    /// The plan of a run may say who owns which example: no error tells its digest.
    func requireEqual<Optimizer: AugmentedGradientTransformation>(
        _ plan: PrivacyPlan, _: Optimizer.Type, _ parameters: ParameterVector, stepsTaken: Int, seed: UInt64?
    ) throws {
        try agree(on: [
            "version of this package": PackageVersion.current, "optimizer": Optimizer.identifier,
            "number of steps taken": "\(stepsTaken)", "seed": seed.map { "\($0)" } ?? "none",
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let coded = try encoder.encode(plan)
        let values = parameters.values.withUnsafeBytes { SHA256.hash(data: $0) }
        try agree(onSecret: [
            "plan (by its digest)": SHA256.hash(data: coded).hexadecimal,
            "parameters (by their digest)": values.hexadecimal,
        ])
    }
}
