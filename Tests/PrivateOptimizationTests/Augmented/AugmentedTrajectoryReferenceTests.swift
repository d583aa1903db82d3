import Foundation
import GradientTransformations
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

/// Trajectories by jax_privacy, through each door: parameters and gradients in flat vectors, and in structs.
@Suite struct AugmentedTrajectoryReferenceTests {
    typealias Case = ScaleThenPrivatizeReference.Case

    enum Door: CaseIterable {
        case vector, tree
    }

    static let learningRate = 0.02

    /// The largest deviation of each kind, in units of what its bound is a multiple of.
    struct Deviation {
        var norms = 0.0
        var sums = 0.0
        var updates = 0.0
    }

    func deviation(
        of optimizer: some AugmentedGradientTransformation, from reference: Case, through door: Door
    ) throws -> Deviation {
        let layout = TreeLayout.augmentedReference
        var result = Deviation()
        var parameters = reference.params.vector
        var model = ReferenceModel(parameters)
        var state =
            switch door {
            case .vector: try optimizer.initialState(for: parameters)
            case .tree: try optimizer.initialState(for: model)
            }
        let clipping = try ClippingRule.flat(l2ClipNorm: reference.clipNorm.value)
        let clip = reference.clipNorm.value.isFinite ? Float(reference.clipNorm.value) : 1
        for step in reference.updates.indices {
            let transform =
                switch door {
                case .vector: try optimizer.preClippingTransform(for: state, layout: layout)
                case .tree: try optimizer.preClippingTransform(for: state, like: model)
                }
            var aggregate = try ClippedAggregate(clipping, transform: transform, noiseMultiplier: 0)
            let rows = reference.perExampleGradients[step].rows
            let gradients =
                switch door {
                case .vector: try DenseRows(rows, layout: layout)
                case .tree:
                    try DenseRows(
                        (0..<rows.rows).map {
                            ReferenceModel(try ParameterVector(values: rows.row($0), layout: layout))
                        }, like: model)
                }
            let outputs = aggregate.addReturningNonPrivateOutputs(gradients)
            for (norm, expected) in zip(outputs.norms, reference.transformedNorms[step].values) {
                guard case .value(let norm) = norm else { continue }
                result.norms = max(result.norms, abs(norm - expected) / expected)
            }
            var noise = Noise(.discreteGaussian, nonPrivateSeed: 0)
            var vector = try aggregate.noised(noise: &noise).vector
            let expectedSum = reference.clippedSum[step].vector.values
            let largest = Double(expectedSum.map(abs).max()!)
            for (sum, expected) in zip(vector.values, expectedSum) {
                result.sums = max(result.sums, abs(Double(sum) - Double(expected)) / largest)
            }
            let factor = Float(reference.noiseMultiplier) * clip
            vector.withUnsafeMutableValues { vector in
                for (index, normal) in reference.standardNormal[step].vector.values.enumerated() {
                    vector[index] += factor * normal
                }
            }
            // The step and the update are the same numbers, the one with them added.
            var (steppedState, stepped) = (state, parameters)
            switch door {
            case .vector:
                optimizer.step(
                    TransformedGradient(vector, transform: transform), state: &steppedState, parameters: &stepped)
                vector = optimizer.update(
                    TransformedGradient(vector, transform: transform), state: &state, parameters: parameters)
            case .tree:
                let before = model
                optimizer.step(
                    TransformedGradient(vector, transform: transform), state: &steppedState, parameters: &model)
                stepped = try model.flattened()
                vector = try optimizer.update(
                    TransformedGradient(vector, transform: transform), state: &state, parameters: before
                ).flattened()
            }
            #expect(stepped.values == zip(parameters.values, vector.values).map { $0 + $1 })
            for (index, expected) in reference.updates[step].vector.values.enumerated() {
                let difference = abs(Double(vector.values[index]) - Double(expected))
                result.updates = max(result.updates, difference / Self.learningRate)
            }
            parameters = try ParameterVector(
                values: zip(parameters.values, vector.values).map { $0 + $1 }, layout: layout)
        }
        return result
    }

    /// What Float32 allows, u = 2⁻²⁴, the reference's own roundings included.
    ///
    /// Norms sum 17 squares, and sums five examples, each a product of a handful of roundings; v brings some ten more
    /// of its own: 32u. Updates, which are of the order of the learning rate, add the division and the base's formula:
    /// 64u. optax takes 1 − β₂ᵗ in Float32, which loses up to u/(1 − β₂) of v̂, and half of that of its root; where v
    /// itself is corrected (AMSGrad), that shows in the scale too.
    struct Bounds {
        var (norms, sums, updates) = (32 * 0x1p-24, 32 * 0x1p-24, 64 * 0x1p-24)

        init(correctsMoments: Bool = false, correctsScale: Bool = false) {
            let correction = 0x1p-24 / (1 - 0.999) / 2
            if correctsMoments { updates += correction }
            if correctsScale {
                norms += correction
                sums += correction
            }
        }

        func hold(for deviation: Deviation) -> Bool {
            deviation.norms <= norms && deviation.sums <= sums && deviation.updates <= updates
        }
    }

    func expectAgreement<Base: GradientTransformation>(
        _ base: Base, _ name: String, within bounds: Bounds, through door: Door
    ) throws where Base.State: SecondMomentState, Base.State.Form: ScalableMoments {
        let cases = try ScaleThenPrivatizeReference.load().filter { $0.base == name }
        #expect(cases.count == 4)
        for reference in cases {
            func deviation(epsilonRoot: Double) throws -> Deviation {
                try self.deviation(
                    of: ScaleThenPrivatize(base, epsilon: reference.eps, epsilonRoot: epsilonRoot), from: reference,
                    through: door)
            }
            let found = try deviation(epsilonRoot: reference.epsRoot)
            #expect(bounds.hold(for: found), "\(name), ε = \(reference.eps): \(found)")
            #expect(!bounds.hold(for: try deviation(epsilonRoot: reference.epsRoot + 1e-4)))
        }
    }

    @Test(arguments: Door.allCases) func adamAgrees(_ door: Door) throws {
        try expectAgreement(
            adam(learningRate: Self.learningRate), "adam", within: Bounds(correctsMoments: true), through: door)
    }

    @Test(arguments: Door.allCases) func adamwAgrees(_ door: Door) throws {
        try expectAgreement(
            adamw(learningRate: Self.learningRate, weightDecay: 0.1), "adamw",
            within: Bounds(correctsMoments: true), through: door)
    }

    @Test(arguments: Door.allCases) func amsgradAgrees(_ door: Door) throws {
        try expectAgreement(
            amsgrad(learningRate: Self.learningRate), "amsgrad",
            within: Bounds(correctsMoments: true, correctsScale: true), through: door)
    }

    @Test(arguments: Door.allCases) func rmspropAgrees(_ door: Door) throws {
        try expectAgreement(rmsprop(learningRate: Self.learningRate), "rmsprop", within: Bounds(), through: door)
    }

    @Test(arguments: Door.allCases) func adagradAgrees(_ door: Door) throws {
        try expectAgreement(adagrad(learningRate: Self.learningRate), "adagrad", within: Bounds(), through: door)
    }

    /// The adaptive link is the second of three.
    @Test(arguments: Door.allCases) func chainAgrees(_ door: Door) throws {
        let base = try chain {
            try ClipByGlobalNorm(1)
            try ScaleByAdam()
            try Scale(-Self.learningRate)
        }
        try expectAgreement(
            base, "chain(clip_by_global_norm(1),scale_by_adam,scale(-0.02))",
            within: Bounds(correctsMoments: true), through: door)
    }
}
