import Crypto
import Datasets
import Foundation
import LinearAlgebra
import PrivacyMechanisms

extension InMemoryDataset {
    /// As `mapped(by:)`, over ranks that have the same examples: each maps a share of them, and all get all features.
    ///
    /// Throws on all ranks ``/PrivacyMechanisms/RankError`` unless they have the same map and the same examples, whose
    /// digests are compared, and make the same features of a public example: whose features an example gets must not
    /// show in their last bits, as it would on processors that round differently.
    ///
    /// Traps unless the inputs have as many columns as the map takes.
    public func mapped(by map: some FeatureMap, over ranks: Ranks) throws -> InMemoryDataset {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let description = try ranks.together { String(decoding: try encoder.encode(map), as: UTF8.self) }
        try ranks.agree(on: ["feature map": description])
        // Once features of one rank's examples stand beside those of another, nobody sees a difference any more.
        try ranks.agree(onSecret: ["data (by their digest)": try ranks.together { try digest() }])
        let sample = Matrix(
            rows: 1, columns: map.inputCount, elements: (0..<map.inputCount).map { Float(($0 &* 7919) % 1009) / 1009 })
        let made = map.features(of: sample).withUnsafeElements { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        try ranks.agree(on: ["features of a public example (by their digest)": made.hexadecimal])
        let width = map.featureCount
        var features = Matrix(undefinedRows: count, columns: width)
        // Block by block: a rank's own features are made in memory of their own first.
        let most = max(ranks.count, (64 << 20) / (MemoryLayout<Float>.size * max(1, width)))
        for begin in stride(from: 0, to: count, by: most) {
            let rows = min(most, count - begin)
            let shares = ranks.shares(ofRows: rows)
            let own = shares[ranks.rank]
            let mapped = map.features(of: inputs.rows(begin + own.lowerBound..<begin + own.upperBound))
            features.withUnsafeMutableElements { features in
                guard let block = features.baseAddress.map({ $0 + begin * width }) else { return }
                mapped.withUnsafeElements { mapped in
                    guard let mapped = mapped.baseAddress else { return }
                    (block + own.lowerBound * width).update(from: mapped, count: own.count * width)
                }
                ranks.allGather(block, shares: shares.map { $0.lowerBound * width..<$0.upperBound * width })
            }
        }
        return InMemoryDataset(inputs: features, targets: targets, lengths: lengths, notCovered: notCovered)
    }
}
