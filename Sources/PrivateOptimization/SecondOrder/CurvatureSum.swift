import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A bound on the curvature of a linear model's loss, summed over examples, on its way to being noised.
///
/// The loss of one example is ℓ(x̂ᵀW), x̂ = (x, 1) where the model has a bias and x elsewhere. Where the Hessian of ℓ
/// is at most β·I, whatever the parameters are, the mean loss of N examples lies below its expansion to second order
/// with
///
///     H = (β / N) · Σ_i x̂_i x̂_iᵀ,  d × d, for each of the K outputs
///
/// in the Hessian's place (Böhning and Lindsay, Ann. Inst. Stat. Math. 40, 1988; of softmax Böhning, 44, 1992):
///
/// | ℓ | β |
/// |---|---|
/// | logistic | 1/4 |
/// | softmax cross-entropy | 1/2 |
/// | ½(y − t)² | 1 |
///
/// H does not depend on the parameters, so that it is released once, before the first step. What follows is
/// post-processing. This differs from arXiv 2305.13209, which releases the direction of every step anew.
///
///     var curvature = try CurvatureSum(
///         featureCount: 64, curvature: 0.25, inputNorm: 1, exampleCount: 60_000, noiseMultiplier: 4)
///     curvature.add(inputs)
///     let released = try curvature.privatized(noise: &noise)
///     let optimizer = try chain { try ScaleByCurvature(released); try sgd(learningRate: 1) }
///
/// - Warning: a run's report covers the run alone. Compose its event with ``PrivateCurvature/event()``. Each call of
///   ``privatized(noise:)`` is a release of its own and counts once more, also where a run that was interrupted makes
///   the curvature again. What is bounded is one *example*: do not compose it with a plan that protects users.
///
/// **Guarantee:** the sum is one of a `ClippedAggregate`, with its guarantees.
///
/// - An example contributes the upper triangle of β·x̂x̂ᵀ, elements off the diagonal times √2: a row of d(d + 1)/2
///   numbers whose L2 norm is the Frobenius norm β‖x̂‖². It is clipped at β·R², R the bound `inputNorm`.
/// - The row is a function of that example alone, in every bit.
/// - R, β and N are public, and never taken from the data.
public struct CurvatureSum: ~Copyable {
    /// The number of rows and columns of the curvature: features, and one more with a bias.
    public let side: Int

    private let featureCount: Int
    private let curvature: Float
    private var aggregate: ClippedAggregate<IdentityTransform>
    private let standardDeviation: Double
    private let noise: NoiseScheme
    private let noiseMultiplier: Double

    /// The elements of packed rows that are in memory at once.
    private static let elementsInBlock = 1 << 22

    /// A sum of no examples, for noise of multiplier z.
    ///
    /// Throws `PrivacyMechanismError` as a `ClippedAggregate` does, with β·R² as the clip norm. Traps unless there is a
    /// feature.
    ///
    /// - Parameters:
    ///   - featureCount: the number of features of an example.
    ///   - hasBias: whether the model has a bias beside the kernel.
    ///   - curvature: β.
    ///   - inputNorm: R. Examples with a larger ‖x̂‖, the bias's 1 included, count as examples of that norm.
    ///   - exampleCount: N, a public constant: what the sum is divided by.
    ///   - noise: the kind of noise.
    ///   - noiseMultiplier: z; 0 is no privacy.
    public init(
        featureCount: Int, hasBias: Bool = true, curvature: Double, inputNorm: Double, exampleCount: Double,
        noise: NoiseScheme = .discreteGaussian, noiseMultiplier: Double
    ) throws(PrivacyMechanismError) {
        require(featureCount > 0, "A curvature of \(featureCount) features has no elements: give at least 1.")
        self.featureCount = featureCount
        self.curvature = Float(curvature)
        self.noise = noise
        self.noiseMultiplier = noiseMultiplier
        let side = featureCount + (hasBias ? 1 : 0)
        self.side = side
        let rule = try ClippingRule.flat(
            l2ClipNorm: curvature * inputNorm * inputNorm, normalizeBy: exampleCount)
        aggregate = try ClippedAggregate(
            rule, transform: IdentityTransform(layout: Self.layout(side: side)), noise: noise,
            noiseMultiplier: noiseMultiplier)
        standardDeviation = noiseMultiplier * aggregate.sensitivity(for: .addOrRemoveOne)
    }

    private static func layout(side: Int) -> TreeLayout {
        do throws(PyTreeError) {
            return try TreeLayout([(path: "curvature", shape: [side * (side + 1) / 2])])
        } catch {
            fail(error.description)
        }
    }

    /// Adds examples, a row of `inputs` each. Examples with a NaN or an infinity contribute nothing.
    ///
    /// Traps unless `inputs` has as many columns as there are features. O(examples · d²).
    public mutating func add(_ inputs: Matrix) {
        require(
            inputs.columns == featureCount,
            "Inputs of \(inputs.columns) columns were given to a curvature of \(featureCount) features.")
        let layout = aggregate.transform.parameterLayout
        let block = max(1, Self.elementsInBlock / layout.count)
        for first in stride(from: 0, to: inputs.rows, by: block) {
            let examples = first..<min(first + block, inputs.rows)
            do throws(PrivacyMechanismError) {
                aggregate.add(try DenseRows(packedRows(of: inputs, examples, columns: layout.count), layout: layout))
            } catch {
                fail(error.description)
            }
        }
    }

    /// The upper triangles of β·x̂x̂ᵀ, row after row.
    private func packedRows(of inputs: Matrix, _ examples: Range<Int>, columns: Int) -> Matrix {
        var rows = Matrix(rows: examples.count, columns: columns)
        let (side, curvature, root) = (side, curvature, Float(2).squareRoot())
        var extended = [Float](repeating: 1, count: side)
        for (row, example) in examples.enumerated() {
            inputs.withRow(example) { input in for index in input.indices { extended[index] = input[index] } }
            rows.withMutableRow(row) { packed in
                var place = 0
                for first in 0..<side {
                    let factor = curvature * extended[first]
                    packed[place] = factor * extended[first]
                    for second in first + 1..<side {
                        packed[place + second - first] = root * (factor * extended[second])
                    }
                    place += side - first
                }
            }
        }
        return rows
    }

    /// Adds the noise, and hands out the mean.
    ///
    /// Throws and traps as `ClippedAggregate.privatized(noise:)` does.
    public consuming func privatized(noise source: inout Noise) throws(PrivacyMechanismError) -> PrivateCurvature {
        let (side, noise, multiplier, deviation) = (side, noise, noiseMultiplier, standardDeviation)
        let packed = try aggregate.privatized(noise: &source).vector
        var matrix = Matrix(rows: side, columns: side)
        var place = 0
        for first in 0..<side {
            matrix[first, first] = packed.values[place]
            for second in first + 1..<side {
                let element = packed.values[place + second - first] / Float(2).squareRoot()
                matrix[first, second] = element
                matrix[second, first] = element
            }
            place += side - first
        }
        return PrivateCurvature(
            matrix: matrix, standardDeviation: deviation, noise: noise, noiseMultiplier: multiplier)
    }
}
