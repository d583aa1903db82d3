import CPrivacyKernels
import Datasets
import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees
import Testing

@testable import Networks
@testable import PrivateTraining

/// **Guarantee:** what an example gives is a function of that example and the parameters, in every bit.
@Suite struct IndependenceTests {
    /// Everything that the private sum is made of, bit by bit, an entry for each example.
    private static func factors(
        _ model: some TrainableModel<ParameterVector>, _ examples: Examples, _ parameters: ParameterVector
    ) -> [[UInt32]] {
        var workspace = model.makeWorkspace()
        let gradients = model.gradients(of: examples, at: parameters, workspace: &workspace)
        var result = (gradients.nonPrivateLosses ?? []).map { [$0.bitPattern] }
        if result.isEmpty { result = Array(repeating: [], count: examples.count) }
        func append(_ matrix: Matrix, positions: Int) {
            for row in 0..<matrix.rows { result[row / positions] += matrix.row(row).map(\.bitPattern) }
        }
        guard let factored = gradients as? FactoredGradients else {
            for example in 0..<examples.count {
                var row = [Float](repeating: 0, count: model.layout.count)
                var span = row.mutableSpan
                gradients.copyGradient(of: example, into: &span)
                result[example] += row.map(\.bitPattern)
            }
            return result
        }
        func append(_ part: FactoredGradients.Part) {
            switch part {
            case .dense(_, _, let activations, let errors):
                append(activations, positions: 1)
                append(errors, positions: 1)
            case .sequence(_, _, let activations, let errors, let positions):
                append(activations, positions: positions)
                append(errors, positions: positions)
            case .embedding(_, _, let errors, let positions): append(errors, positions: positions)
            case .rows(_, let matrix): append(matrix, positions: 1)
            case .joined(_, let uses): uses.forEach(append)
            case .mapped(let part, _): append(part)
            }
        }
        factored.parts.forEach(append)
        return result
    }

    /// How many examples give something else in some batch than they do alone: batches of the given sizes, that begin
    /// at changing places.
    private static func failures(_ model: some TrainableModel<ParameterVector>, _ pool: Examples, sizes: [Int]) throws
        -> Int
    {
        var generator = SeededGenerator(seed: 2)
        let parameters = try ParameterVector(
            values: generator.floats(model.layout.count, in: -0.5...0.5), layout: model.layout)
        let alone = (0..<pool.count).map { factors(model, pool.slice($0..<$0 + 1), parameters)[0] }
        var failures = 0
        for (index, size) in sizes.enumerated() {
            let begin = (7 * index) % (pool.count - size + 1)
            let together = factors(model, pool.slice(begin..<begin + size), parameters)
            failures += (0..<size).count { together[$0] != alone[begin + $0] }
        }
        return failures
    }

    /// Every batch size up to 600; in debug builds, which take thirty times as long, a few of them.
    private static var sizeStep: Int {
        #if DEBUG
            97
        #else
            1
        #endif
    }

    private static let activations: [Activation] = [
        .identity, .relu, .tanh, .gelu, .temperedSigmoid(scale: 2, temperature: 2, offset: 1),
    ]

    private static var architectures: [NetworkArchitecture] {
        let perceptrons = activations.map {
            NetworkArchitecture.multilayerPerceptron(dims: [19, 35, 5], activation: $0)
        }
        let convolutions = [Pooling.max, .average].map { pooling in
            NetworkArchitecture(
                input: .image(height: 7, width: 6, channels: 2),
                layers: [
                    .convolution(outputs: 5, size: 3, stride: 1, padding: 1, activation: .gelu),
                    .pooling(pooling, size: 2, stride: 1),
                    .convolution(outputs: 3, size: 2, stride: 2, padding: 0, activation: .relu),
                    .dense(outputs: 4, activation: .identity),
                ], loss: .softmaxCrossEntropy)
        }
        return perceptrons + convolutions + [
            .multilayerPerceptron(dims: [8, 6, 1], activation: .tanh, loss: .logistic),
            .multilayerPerceptron(dims: [8, 6, 3], loss: .squaredError), .softmaxRegression(features: 40, classes: 3),
        ]
    }

    /// The check as a process of its own, with so many threads and the kernels of a level.
    private static func check(threads: Int, level: String, _ body: () throws -> Int) throws {
        setenv("DPK_LEVEL", level, 1)
        Threads.limit = threads
        Threads.sharesSmallWork = true
        var team = 0
        Threads.withTeam(of: threads) { member in if member.index == 0 { team = member.count } }
        let names = ["portable": DPK_PORTABLE, "avx2": DPK_AVX2, "avx512": DPK_AVX512]
        // A processor that lacks a level takes the next lower one.
        guard team == threads, dpk_active_kernels().pointee.level.rawValue <= names[level]!.rawValue else { exit(2) }
        guard try body() == 0 else { exit(3) }
    }

    @Test(arguments: [1, 2, 5], ["portable", "avx2", "avx512"])
    func everyBatchSizeGivesTheSameFactors(threads: Int, level: String) async {
        await #expect(processExitsWith: .success) { [threads, level] in
            try Self.check(threads: threads, level: level) {
                var failures = 0
                var generator = SeededGenerator(seed: 1)
                for (index, architecture) in Self.architectures.enumerated() {
                    let network = try Network(architecture)
                    let pool = generator.examples(600, for: network)
                    // All sizes for one dense network, many for one with convolutions, and those around blocks for all.
                    var sizes = [1, 2, 3, 4, 5, 11, 12, 13, 63, 64, 65, 119, 120, 121, 127, 129, 300, 600]
                    if index == 1 { sizes += Array(stride(from: 1, through: 600, by: Self.sizeStep)) }
                    if index == 5 { sizes += Array(stride(from: 1, through: 600, by: 7 * Self.sizeStep)) }
                    failures += try Self.failures(network, pool, sizes: sizes)
                }
                return failures
            }
        }
    }

    /// The control: a model that multiplies whole microbatches.
    @Test func aModelThatMultipliesWholeMicrobatchesIsFound() throws {
        let network = try Network(.multilayerPerceptron(dims: [19, 35, 5]))
        var generator = SeededGenerator(seed: 1)
        let pool = generator.examples(40, for: network)
        let twin = WholeMicrobatchModel(network: network, patches: [Array(0..<19)])
        #expect(try Self.failures(twin, pool, sizes: [1, 3, 39]) == 0)
        #expect(try Self.failures(twin, pool, sizes: [2, 40]) > 20)
    }

    // MARK: Norms under every transform

    /// How many examples have another norm in some microbatch than alone.
    private static func normFailures(
        _ network: Network, _ pool: Examples, _ parameters: ParameterVector, _ transform: some PreClippingTransform
    ) throws -> Int {
        func norms(_ range: Range<Int>) throws -> [UInt64] {
            var workspace = network.makeWorkspace()
            var aggregate = try ClippedAggregate(.flat(l2ClipNorm: 1), transform: transform, noiseMultiplier: 0)
            return aggregate.addReturningNonPrivateOutputs(
                network.gradients(of: pool.slice(range), at: parameters, workspace: &workspace)
            ).norms.map { norm in
                guard case .value(let value) = norm else { preconditionFailure("One norm was asked for.") }
                return value.bitPattern
            }
        }
        let alone = try (0..<pool.count).map { try norms($0..<$0 + 1)[0] }
        return try [2, 3, 13, 64, 129, pool.count].reduce(0) { failures, size in
            let begin = pool.count - size
            let together = try norms(begin..<pool.count)
            return failures + together.indices.count { together[$0] != alone[begin + $0] }
        }
    }

    @Test(arguments: [1, 2, 5])
    func normsAreTheExamplesOwnUnderEveryTransform(threads: Int) async {
        await #expect(processExitsWith: .success) { [threads] in
            try Self.check(threads: threads, level: "avx512") {
                var generator = SeededGenerator(seed: 3)
                var failures = 0
                for architecture in [Self.architectures[1], Self.architectures[5]] {
                    let network = try Network(architecture)
                    let pool = generator.examples(150, for: network)
                    let parameters = try generator.parameters(for: network)
                    let layout = network.layout
                    let scale = try ParameterVector(
                        values: generator.floats(layout.count, in: 0.01...3), layout: layout)
                    failures += try Self.normFailures(
                        network, pool, parameters, IdentityTransform(layout: layout))
                    failures += try Self.normFailures(network, pool, parameters, DiagonalTransform(scale: scale))
                    let lowRank = try LowRankProjection(sgd(learningRate: 1), rank: 2, seed: 1)
                    failures += try Self.normFailures(
                        network, pool, parameters,
                        lowRank.preClippingTransform(for: lowRank.initialState(for: parameters), layout: layout))
                    let kronecker = try KroneckerPreconditioning(
                        sgd(learningRate: 1), damping: 1e-3, refreshEvery: 1)
                    var state = try kronecker.initialState(for: parameters)
                    for _ in 0..<3 {
                        let gradient = try ParameterVector(values: generator.floats(layout.count), layout: layout)
                        let transform = try kronecker.preClippingTransform(for: state, layout: layout)
                        _ = kronecker.update(
                            TransformedGradient(gradient, transform: transform), state: &state, parameters: parameters)
                    }
                    failures += try Self.normFailures(
                        network, pool, parameters, kronecker.preClippingTransform(for: state, layout: layout))
                }
                return failures
            }
        }
    }

    // MARK: Features

    @Test(arguments: [1, 2, 5])
    func featuresAreTheImagesOwn(threads: Int) async {
        await #expect(processExitsWith: .success) { [threads] in
            try Self.check(threads: threads, level: "avx512") {
                var generator = SeededGenerator(seed: 4)
                let map = try ScatteringFeatures(height: 8, width: 12)
                let images = generator.matrix(130, 96)
                func features(_ range: Range<Int>) -> [[UInt32]] {
                    let part = Matrix(rows: range.count, columns: 96, elements: range.flatMap(images.row))
                    let features = map.features(of: part)
                    return (0..<range.count).map { features.row($0).map(\.bitPattern) }
                }
                let alone = (0..<130).map { features($0..<$0 + 1)[0] }
                return [2, 3, 64, 130].reduce(0) { failures, size in
                    let together = features(130 - size..<130)
                    return failures + together.indices.count { together[$0] != alone[130 - size + $0] }
                }
            }
        }
    }
}
