import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// How far the private mean gradient of the digits is from the true one, for several noise multipliers.
struct PrivateMeanError {
    struct Record: Codable {
        var benchmark = "digits-error"
        let examples: Int
        let params: Int
        let l2ClipNorm: Double
        let noiseMultiplier: Double
        let relativeError: Double
        let cosine: Double
    }

    private let records: [Record]

    init(_ problem: PipelineProblem) throws {
        let count = problem.gradients.rows
        let fused = try FusedPath(problem: problem)
        var truth = [Double](repeating: 0, count: problem.layout.count)
        for example in 0..<count {
            problem.gradients.withRow(example) { row in
                for index in truth.indices { truth[index] += Double(row[index]) / Double(count) }
            }
        }
        records = try [0, 0.5, 1, 4].map { noiseMultiplier in
            var noise = Noise(.discreteGaussian)
            let sum = try fused.privateGradient(noiseMultiplier: noiseMultiplier, noise: &noise)
            let mean = sum.values.map { Double($0) / Double(count) }
            let dot = { (x: [Double], y: [Double]) in zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
            let difference = zip(mean, truth).map { $0 - $1 }
            return Record(
                examples: count, params: problem.layout.count, l2ClipNorm: problem.l2ClipNorm,
                noiseMultiplier: noiseMultiplier,
                relativeError: (dot(difference, difference) / dot(truth, truth)).squareRoot(),
                cosine: dot(mean, truth) / (dot(mean, mean) * dot(truth, truth)).squareRoot())
        }
    }

    var table: RecordTable<Record> {
        RecordTable(
            records,
            heading: "\nThe private mean gradient beside the true one, clip norm "
                + Format.decimals(records[0].l2ClipNorm, 3),
            columns: [
                .numbers("noise multiplier") { Format.decimals($0.noiseMultiplier, 1) },
                .numbers("relative error") { Format.decimals($0.relativeError, 4) },
                .numbers("cosine") { Format.decimals($0.cosine, 4) },
            ])
    }
}
