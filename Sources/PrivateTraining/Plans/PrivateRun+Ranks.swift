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

    /// Throws ``RankError/mismatch(rank:what:value:expected:)`` on all ranks unless they have the same parameters:
    /// those of processors that compute differently could drift apart.
    func requireEqualRanks() throws {
        try ranks?.agree(on: Self.facts(plan, vector, stepsTaken: stepsTaken, seed: nonPrivateSeed))
    }

    /// What has to be the same on every rank.
    static func facts(
        _ plan: PrivacyPlan, _ parameters: ParameterVector, stepsTaken: Int, seed: UInt64?
    ) throws -> KeyValuePairs<String, String> {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return [
            "version of this package": PackageVersion.current,
            "plan (by its digest)": SHA256.hash(data: try encoder.encode(plan)).hexadecimal,
            "optimizer": Optimizer.identifier, "number of steps taken": "\(stepsTaken)",
            "seed": seed.map { "\($0)" } ?? "none",
            "parameters (by their digest)": SHA256.hash(
                data: parameters.values.withUnsafeBytes { Data($0) }
            ).hexadecimal,
        ]
    }
}
