import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

@testable import Networks
@testable import PrivateTraining

/// Attacks on the promise that an example's gradient is its own: data for which the last bits of a matrix product
/// decide something large. Each is tried on a model and on its broken twin, where it succeeds.
@Suite struct GradientIndependenceAttacks {
    /// What two sums may differ by beyond one clip norm: the rounding of both to Float32 and of the products of up to
    /// 52 examples, each far below 2⁻¹⁶ of their number.
    private static let rounding = 52 * 0x1p-16

    // MARK: ReLU

    /// x in the null space of the public initial kernel: all its units before the ReLU are rounding noise. D has 51
    /// copies of it, D′ one example of zeros more.
    private static func reluAttack<Model: TrainableModel<ParameterVector>>(
        _ model: Model
    ) throws -> NeighborAttack<Model> {
        var generator = SeededGenerator(seed: 1)
        let kernel = model.layout.leaves[0]
        let nullSpace = NullSpace(
            of: Array(model.initialParameters(seed: 0).values[kernel.range]), outputs: kernel.shape[1])
        let x = nullSpace.orthogonal(generator.floats(784).map(Double.init)).map { Float(10 * $0) }
        return NeighborAttack(
            model: model, data: InMemoryDataset(copies: 51, of: x, target: 3, classCount: 10),
            neighbor: InMemoryDataset(
                copies: 51, of: x, target: 3, classCount: 10, and: [[Float](repeating: 0, count: 784)]))
    }

    private static let perceptron = NetworkArchitecture.multilayerPerceptron(dims: [784, 100, 10])

    @Test func maskedUnitsDoNotFlip() throws {
        let network = try Network(Self.perceptron)
        #expect(try Self.reluAttack(network).sensitivity() <= 1 + Self.rounding)
        let twin = WholeMicrobatchModel(network: network, patches: [Array(0..<784)])
        #expect(try Self.reluAttack(twin).sensitivity() > 5)
    }

    /// One step at z = 6, ε = 0.6 at δ = 10⁻⁵. A private step has a − b ≤ tanh(ε/2) + δ < 0.30 in the mean. By
    /// Hoeffding, over 2·60 runs, hits − falseAlarms > 0.30·60 + 40 has probability below exp(−2·40²/120) = 3·10⁻¹².
    @Test func aStepDoesNotTellTheNeighborByItsMasks() throws {
        let network = try Network(Self.perceptron)
        let runs = 60
        let attack = try Self.reluAttack(network)
        #expect(try attack.plan(count: 52, z: 6).epsilon(afterIterations: 1) < 0.61)
        let own = try attack.hits(z: 6, runs: runs)
        #expect(own.hits - own.falseAlarms <= runs * 3 / 10 + 40)
        let twin = try Self.reluAttack(WholeMicrobatchModel(network: network, patches: [Array(0..<784)]))
            .hits(z: 6, runs: runs)
        #expect(twin.hits - twin.falseAlarms > runs * 3 / 10 + 40)
    }

    // MARK: Max-pooling

    /// Four patches that differ by vectors of the kernel's null space: every channel's maximum is a tie up to rounding.
    private static func poolingAttack<Model: TrainableModel<ParameterVector>>(
        _ model: Model
    ) throws -> NeighborAttack<Model> {
        var generator = SeededGenerator(seed: 5)
        let kernel = model.layout.leaves[0]
        let nullSpace = NullSpace(
            of: Array(model.initialParameters(seed: 0).values[kernel.range]), outputs: kernel.shape[1])
        let patch = generator.floats(25).map(Double.init)
        var image = [Float](repeating: 0, count: 100)
        for features in patches {
            let shift = nullSpace.orthogonal(generator.floats(25).map { 10 * Double($0) })
            for (index, feature) in features.enumerated() { image[feature] = Float(patch[index] + shift[index]) }
        }
        return NeighborAttack(
            model: model, data: InMemoryDataset(copies: 25, of: image, target: 3, classCount: 10),
            neighbor: InMemoryDataset(
                copies: 25, of: image, target: 3, classCount: 10, and: [[Float](repeating: 0, count: 100)]))
    }

    /// The four 5 × 5 quarters of a 10 × 10 image.
    private static let patches: [[Int]] = [0, 5, 50, 55].map { corner in
        (0..<25).map { corner + $0 / 5 * 10 + $0 % 5 }
    }

    private static let pooled = NetworkArchitecture(
        input: .image(height: 10, width: 10, channels: 1),
        layers: [
            .convolution(outputs: 8, size: 5, stride: 5, padding: 0, activation: .identity),
            .pooling(.max, size: 2, stride: 1), .dense(outputs: 10, activation: .identity),
        ], loss: .softmaxCrossEntropy)

    @Test func tiesAreBrokenAlike() throws {
        let network = try Network(Self.pooled)
        #expect(try Self.poolingAttack(network).sensitivity() <= 1 + Self.rounding)
        let twin = WholeMicrobatchModel(network: network, patches: Self.patches)
        #expect(try Self.poolingAttack(twin).sensitivity() > 5)
    }

    // MARK: Adaptive clipping

    /// 255 copies of one row, and 256.
    private static func copies() -> (InMemoryDataset, InMemoryDataset) {
        var generator = SeededGenerator(seed: 3)
        let row = generator.floats(784)
        return (
            InMemoryDataset(copies: 255, of: row, target: 3, classCount: 10),
            InMemoryDataset(copies: 256, of: row, target: 3, classCount: 10)
        )
    }

    /// A kernel that is not zero, so that its products round.
    private static func parameters(_ layout: TreeLayout) throws -> ParameterVector {
        var generator = SeededGenerator(seed: 4)
        return try ParameterVector(values: generator.floats(layout.count), layout: layout)
    }

    private static func norms<Model: TrainableModel<ParameterVector>>(_ model: Model, _ data: InMemoryDataset) throws
        -> Set<Double>
    {
        var workspace = model.makeWorkspace()
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: model.layout), noiseMultiplier: 0)
        let outputs = aggregate.addReturningNonPrivateOutputs(
            model.gradients(of: data.examples, at: try parameters(model.layout), workspace: &workspace))
        return Set(
            outputs.norms.map { norm in
                guard case .value(let value) = norm else { preconditionFailure("One norm was asked for.") }
                return value
            })
    }

    /// The next clip norm's logarithm over the learning rate, up to a constant: the noisy share of examples within a
    /// clip norm between those of the two data sets.
    private static func noisyShares<Model: TrainableModel<ParameterVector>>(
        _ model: Model, _ data: InMemoryDataset, clipNorm: Double, runs: Int
    ) throws -> [Double] {
        let adaptive = try AdaptiveQuantileClipping(
            initialL2ClipNorm: clipNorm, learningRate: 1, countNoiseMultiplier: 12.8)
        let plan = try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: data.count, samplingProbability: 1)), iterations: 1,
            clipping: .adaptiveQuantile(adaptive), budget: .noiseMultiplier(20), delta: 1e-5)
        let start = try parameters(model.layout)
        var workspace = model.makeWorkspace()
        return try (0..<runs).map { _ in
            var run = try PrivateRun(plan, optimizer: IdentityAugmented(sgd(learningRate: 1)), parameters: start)
            try run.step { indices, parameters in
                model.gradients(of: data.examples(at: indices), at: parameters, workspace: &workspace)
            }
            let next = run.adaptiveL2ClipNorm
            return 0.5 - log(try #require(next) / clipNorm)
        }
    }

    @Test func norms() throws {
        let network = try Network(.softmaxRegression(features: 784, classes: 10))
        let (data, neighbor) = Self.copies()
        #expect(try Self.norms(network, data).count == 1)
        #expect(try Self.norms(network, data) == Self.norms(network, neighbor))
        let twin = WholeMicrobatchModel(network: network, patches: [])
        #expect(try Self.norms(twin, data).isDisjoint(with: Self.norms(twin, neighbor)))
    }

    /// With z = 20, ε is below 0.17 at δ = 10⁻⁵, and a − b ≤ tanh(ε/2) < 0.09. The twin's count moves by 127.5, ten
    /// deviations of its noise; over 2·40 runs hits − falseAlarms > 0.09·40 + 32 has, where the step is private,
    /// probability below exp(−2·32²/80) = 8·10⁻¹².
    @Test func theClipNormDoesNotTellTheNeighbor() throws {
        let network = try Network(.softmaxRegression(features: 784, classes: 10))
        let (data, neighbor) = Self.copies()
        let runs = 40
        func advantage(_ model: some TrainableModel<ParameterVector>) throws -> Int {
            let norms = try Self.norms(model, data).union(Self.norms(model, neighbor))
            // Between the two norms; at the one norm if they are the same.
            let clipNorm = try #require(norms.min())
            let isWithin = try Self.norms(model, neighbor).allSatisfy { $0 <= clipNorm }
            let after = try Self.noisyShares(model, neighbor, clipNorm: clipNorm, runs: runs)
            let before = try Self.noisyShares(model, data, clipNorm: clipNorm, runs: runs)
            let says: (Double) -> Bool = { ($0 > 0.5) == isWithin }
            return after.count(where: says) - before.count(where: says)
        }
        #expect(try advantage(network) <= 36)
        #expect(try advantage(WholeMicrobatchModel(network: network, patches: [])) > 36)
    }

    // MARK: A user's own closure

    /// A closure that takes the sign of a product has one thread for it, however many examples there are. If an example
    /// that is alone had the whole team, BLAS would cut the product, and could round it differently.
    @Test func closuresComputeOnOneThread() async {
        await #expect(processExitsWith: .success) {
            Threads.limit = 4
            Threads.sharesSmallWork = true
            let layout = try TreeLayout([("w", [3])])
            let model = ClosureModel(
                layout: layout, featureCount: 3, outputCount: 1,
                initialParameters: { _ in ParameterVector(zeros: layout) }
            ) { inputs, _, _, gradient in
                var size = 0
                Threads.withTeam(of: 4) { if $0.index == 0 { size = $0.count } }
                gradient[0] = Float(size)
                return 0
            }
            var workspace = model.makeWorkspace()
            for count in [1, 2, 9] {
                let data = InMemoryDataset(copies: count, of: [1, 2, 3], target: 0, classCount: 1)
                let rows = model.gradients(
                    of: data.examples, at: ParameterVector(zeros: layout), workspace: &workspace)
                for example in 0..<count {
                    var row = [Float](repeating: 0, count: 3)
                    var span = row.mutableSpan
                    rows.copyGradient(of: example, into: &span)
                    guard row[0] == 1 else { exit(2) }
                }
            }
            // The control: out here there is a team.
            var size = 0
            Threads.withTeam(of: 4) { if $0.index == 0 { size = $0.count } }
            guard size == 4 else { exit(3) }
        }
    }
}
