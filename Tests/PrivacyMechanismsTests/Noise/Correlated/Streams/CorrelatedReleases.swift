import Foundation
import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// Steps with correlated noise, one after the other, over sums of a few rows.
struct CorrelatedReleases: ~Copyable {
    let layout: TreeLayout
    let scheme: NoiseScheme
    let noiseMultiplier: Double
    private var noise: Noise

    init(
        _ strategy: CorrelationStrategy, columns: Int, restarts: Bool = false, noiseMultiplier: Double = 1,
        seed: UInt64? = 1, keepsPastNoise: Bool = false
    ) throws {
        layout = try TreeLayout([("x", [columns])])
        scheme = .correlated(strategy, restarts: restarts)
        self.noiseMultiplier = noiseMultiplier
        let mechanism = CorrelatedMechanism(strategy, restarts: restarts)
        noise = mechanism.begin(nonPrivateSeed: seed, keepsPastNoise: keepsPastNoise)
    }

    /// What a grid unit is worth.
    var unit: Double {
        get throws { try scheme.grid(of: rule, noiseMultiplier: noiseMultiplier, layout: layout)!.spacing }
    }

    /// M.
    var sensitivity: Double {
        get throws { try scheme.grid(of: rule, noiseMultiplier: noiseMultiplier, layout: layout)!.sensitivity }
    }

    private var rule: ClippingRule {
        get throws { try .flat(l2ClipNorm: 1) }
    }

    /// The next release, in grid units, of a batch of these rows.
    mutating func next(_ rows: [[Float]] = [], l2ClipNorm: Double = 1) throws -> [Double] {
        var aggregate = try ClippedAggregate(
            try .flat(l2ClipNorm: l2ClipNorm), transform: IdentityTransform(layout: layout), noise: scheme,
            noiseMultiplier: noiseMultiplier)
        if !rows.isEmpty {
            aggregate.add(
                try DenseRows(
                    Matrix(rows: rows.count, columns: layout.count, elements: rows.flatMap { $0 }), layout: layout))
        }
        let unit = try self.unit
        return try aggregate.privatized(noise: &noise).vector.values.map { Double($0) / unit }
    }

    /// The next release of an empty batch with so many columns, in grid units of its own.
    mutating func next(columns: Int) throws -> [Float] {
        let aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: TreeLayout([("x", [columns])])), noise: scheme,
            noiseMultiplier: noiseMultiplier)
        return try aggregate.privatized(noise: &noise).vector.values
    }

    /// What a file would hold of the noise.
    func checkpoint() throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: JSONEncoder().encode(noise.checkpoint())) as? [String: Any] ?? [:]
    }

    /// The next release of an empty batch in another space.
    mutating func next(scaledBy scale: Float) throws {
        let aggregate = try ClippedAggregate(
            try .flat(l2ClipNorm: 1),
            transform: try DiagonalTransform(scale: ParameterVector(repeating: scale, layout: layout)), noise: scheme,
            noiseMultiplier: noiseMultiplier)
        _ = try aggregate.privatized(noise: &noise)
    }

    /// Goes on from a checkpoint as a file holds it.
    mutating func resume(seed: UInt64?) throws {
        let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
        decoder.userInfo[.noiseScheme] = scheme
        let file = try encoder.encode(noise.checkpoint())
        noise = Noise(
            scheme, resuming: try decoder.decode(NoiseCheckpoint.self, from: file), nonPrivateSeed: seed)
    }
}

/// Strategies of six steps, each of which is streamed in another way.
let streamedStrategies: [CorrelationStrategy] = [
    .identity(try! IdentityStrategy(steps: 6)),
    .bandedToeplitz(try! ToeplitzStrategy(coefficients: [1, 0.5, 0.375], steps: 6)),
    .bandedToeplitz(try! ToeplitzStrategy(coefficients: [1, -0.4, 0.7, 0.3], steps: 6)),
    .bandedInverse(try! BandedInverseStrategy.bisr(terms: 4, steps: 6)),
    .blt(try! BufferedToeplitzStrategy(decays: [0.95, 0.5], weights: [0.2, 0.3], steps: 6)),
    .dense(
        try! DenseStrategy(
            rows: [
                [0.8], [0.3, 0.9], [0.1, 0.4, 1], [0, 0.2, 0.3, 0.7], [-0.1, 0, 0.1, 0.2, 0.9], [0, 0, 0, 0, 0.5, 1],
            ])),
]

/// C times rows.
func product(_ matrix: [[Double]], _ rows: [[Double]]) -> [[Double]] {
    rows.indices.map { t in
        rows[0].indices.map { column in (0...t).reduce(0) { $0 + matrix[t][$1] * rows[$1][column] } }
    }
}
