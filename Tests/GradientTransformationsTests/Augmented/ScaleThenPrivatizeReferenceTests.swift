import Foundation
import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Testing

@Suite struct ScaleThenPrivatizeReferenceTests {
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
            var noise = GaussianNoise(nonPrivateSeed: 0)
            var vector = try aggregate.noisedTransformedSum(noiseMultiplier: 0, noise: &noise)
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
            optimizer.update(&vector, state: &state, parameters: parameters)
            for (index, expected) in reference.updates[step].vector.values.enumerated() {
                let difference = abs(Double(vector.values[index]) - Double(expected))
                result.updates = max(result.updates, difference / Self.learningRate)
            }
            parameters = try ParameterVector(
                values: zip(parameters.values, vector.values).map { $0 + $1 }, layout: layout)
        }
        return result
    }

    func expectAgreement(_ base: some GradientTransformation<some SecondMomentState>, _ name: String) throws {
        let cases = try ScaleThenPrivatizeReference.load().filter { $0.base == name }
        #expect(cases.count == 4)
        for reference in cases {
            let deviation = try deviation(
                of: ScaleThenPrivatize(base, epsilon: reference.eps, epsilonRoot: reference.epsRoot), from: reference)
            print(name, reference.eps, reference.epsRoot, deviation)
        }
    }

    @Test func adamAgrees() throws {
        try expectAgreement(adam(learningRate: Self.learningRate), "adam")
    }
}
