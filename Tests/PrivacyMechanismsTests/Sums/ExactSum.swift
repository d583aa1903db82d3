import PyTrees

@testable import PrivacyMechanisms

/// The integers of an exact sum, as noise would find them.
struct ExactSum: Equatable {
    let integers: [Int]
    let grid: SumGrid

    static func == (first: ExactSum, second: ExactSum) -> Bool { first.integers == second.integers }

    /// The sum of batches, each added as one microbatch, in the transformed space.
    init(
        _ microbatches: [some PerExampleGradients], _ rule: ClippingRule, scale: ParameterVector? = nil,
        noiseMultiplier: Double = 1
    ) throws {
        if let scale {
            let transform = DiagonalTransform(checkedScale: scale)
            var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: noiseMultiplier)
            for microbatch in microbatches { aggregate.add(microbatch) }
            self.init(aggregate, scale: scale)
        } else {
            let transform = IdentityTransform(layout: microbatches[0].layout)
            var aggregate = try ClippedAggregate(rule, transform: transform, noiseMultiplier: noiseMultiplier)
            for microbatch in microbatches { aggregate.add(microbatch) }
            self.init(aggregate, scale: nil)
        }
    }

    /// What an aggregate holds, put together from its parts as their documentation says.
    init<Transform>(_ aggregate: borrowing ClippedAggregate<Transform>, scale: ParameterVector?) {
        guard case .exact(let sum, let grid) = aggregate.sum else { fatalError("The sum is a floating-point one.") }
        self.grid = grid
        let scale = scale?.values
        var integers = (0..<sum.columns).map { Int(sum.recent.base[$0]) + Int(sum.carried?.base[$0] ?? 0) }
        for part in sum.fineParts {
            for (place, column) in part.columns.enumerated() {
                var value =
                    Double(sum.fine!.base[column]) * (part.unit * Double(part.rowWeights?[place / part.rowLength] ?? 1))
                if let weights = part.columnWeights {
                    value *= Double(scale![column])
                    value *= Double(weights[place % part.rowLength])
                }
                integers[column] += Int(value.rounded(.toNearestOrEven))
            }
        }
        self.integers = integers
    }

    /// The distance of two sums, in grid units: exact up to 2⁵³ in the square.
    func distance(to other: ExactSum) -> Double {
        zip(integers, other.integers).map { Double($0 - $1) }.norm
    }
}
