import Foundation
import GradientTransformations
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@Suite struct AugmentedTrajectoryReferenceTests {
    typealias Case = ScaleThenPrivatizeReference.Case

    static let learningRate = 0.02

    /// The largest deviation of each kind, in units of what its bound is a multiple of.
    struct Deviation {
        var norms = 0.0
        var sums = 0.0
        var updates = 0.0
    }

    func deviation(of optimizer: some AugmentedGradientTransformation, from reference: Case) throws -> Deviation {
        let layout = TreeLayout.augmentedReference
        var result = Deviation()
        var parameters = reference.params.vector
        var state = try optimizer.initialState(for: parameters)
        let clipping = try ClippingRule.flat(l2ClipNorm: reference.clipNorm.value)
        let clip = reference.clipNorm.value.isFinite ? Float(reference.clipNorm.value) : 1
        for step in reference.updates.indices {
            let transform = try optimizer.preClippingTransform(for: state, layout: layout)
            var aggregate = try ClippedAggregate(clipping, transform: transform)
            let outputs = aggregate.addReturningNonPrivateOutputs(
                try DenseRows(reference.perExampleGradients[step].rows, layout: layout))
            for (norm, expected) in zip(outputs.norms, reference.transformedNorms[step].values) {
                guard case .value(let norm) = norm else { continue }
                result.norms = max(result.norms, abs(norm - expected) / expected)
            }
            var noise = Noise(.gaussian, nonPrivateSeed: 0)
            var vector = try aggregate.noised(noiseMultiplier: 0, noise: &noise).vector
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
            optimizer.step(
                TransformedGradient(vector, transform: transform), state: &steppedState, parameters: &stepped)
            vector = optimizer.update(
                TransformedGradient(vector, transform: transform), state: &state, parameters: parameters)
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

    func expectAgreement(
        _ base: some GradientTransformation<some SecondMomentState>, _ name: String, within bounds: Bounds
    ) throws {
        let cases = try ScaleThenPrivatizeReference.load().filter { $0.base == name }
        #expect(cases.count == 4)
        for reference in cases {
            func deviation(epsilonRoot: Double) throws -> Deviation {
                try self.deviation(
                    of: ScaleThenPrivatize(base, epsilon: reference.eps, epsilonRoot: epsilonRoot), from: reference)
            }
            let found = try deviation(epsilonRoot: reference.epsRoot)
            #expect(bounds.hold(for: found), "\(name), ε = \(reference.eps): \(found)")
            #expect(!bounds.hold(for: try deviation(epsilonRoot: reference.epsRoot + 1e-4)))
        }
    }

    @Test func adamAgrees() throws {
        try expectAgreement(adam(learningRate: Self.learningRate), "adam", within: Bounds(correctsMoments: true))
    }

    @Test func adamwAgrees() throws {
        try expectAgreement(
            adamw(learningRate: Self.learningRate, weightDecay: 0.1), "adamw",
            within: Bounds(correctsMoments: true))
    }

    @Test func amsgradAgrees() throws {
        try expectAgreement(
            amsgrad(learningRate: Self.learningRate), "amsgrad",
            within: Bounds(correctsMoments: true, correctsScale: true))
    }

    @Test func rmspropAgrees() throws {
        try expectAgreement(rmsprop(learningRate: Self.learningRate), "rmsprop", within: Bounds())
    }

    @Test func adagradAgrees() throws {
        try expectAgreement(adagrad(learningRate: Self.learningRate), "adagrad", within: Bounds())
    }

    /// The adaptive link is the second of three.
    @Test func chainAgrees() throws {
        let base = try chain {
            try ClipByGlobalNorm(1)
            try ScaleByAdam()
            try Scale(-Self.learningRate)
        }
        try expectAgreement(
            base, "chain(clip_by_global_norm(1),scale_by_adam,scale(-0.02))",
            within: Bounds(correctsMoments: true))
    }
}
