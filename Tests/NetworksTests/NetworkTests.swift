import Datasets
import Foundation
import GradientTransformations
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PyTrees
import Testing

@Suite(.serialized) struct NetworkTests {
    static let architectures: [NetworkArchitecture] = [
        .multilayerPerceptron(dims: [7, 9, 5, 3], activation: .gelu), .logisticRegression(features: 4),
        .linearRegression(features: 5, outputs: 2),
        NetworkArchitecture(
            input: .image(height: 7, width: 6, channels: 1),
            layers: [
                .convolution(outputs: 4, size: 3, stride: 1, padding: 1, activation: .tanh),
                .pooling(.max, size: 2, stride: 1),
                .convolution(outputs: 3, size: 2, stride: 2, padding: 0, activation: .relu),
                .dense(outputs: 3, activation: .identity),
            ], loss: .softmaxCrossEntropy),
    ]

    /// How far Σ_i g_ij over examples may be from that of other Float32 gradients: both have the check's tolerance.
    private func sumTolerances(_ check: GradientCheck) -> [Double] {
        (0..<check.examples.count).reduce([Double](repeating: 0, count: check.network.layout.count)) { sums, example in
            zip(sums, check[example].tolerances).map { $0 + 2 * $1 }
        }
    }

    @Test(arguments: architectures)
    func theNonPrivateGradientIsTheMeanOfTheExamples(architecture: NetworkArchitecture) throws {
        let network = try Network(architecture)
        let check = try GradientCheck(network, examples: 5, seed: 2)
        var workspace = network.makeWorkspace()
        // What was there before must not count.
        var mean = ParameterVector(repeating: .nan, layout: network.layout)
        let loss = network.nonPrivateGradient(
            of: check.examples, at: check.parameters, into: &mean, workspace: &workspace)
        let gradients = network.gradients(of: check.examples, at: check.parameters, workspace: &workspace)
        let tolerances = sumTolerances(check)
        let failures = { (rows: ArraySlice<[Float]>) in
            mean.values.indices.count { index in
                let sum = rows.reduce(0) { $0 + Double($1[index]) }
                return !(abs(5 * Double(mean.values[index]) - sum) <= tolerances[index])
            }
        }
        #expect(failures(gradients.rows[...]) == 0)
        let losses = try #require(gradients.nonPrivateLosses)
        #expect(abs(loss - losses.reduce(0) { $0 + Double($1) } / 5) <= 1e-6 * loss)
        // Control: without one example it is another mean.
        #expect(failures(gradients.rows.dropLast()) > 0)
    }

    @Test(arguments: architectures)
    func factoredGradientsAreClippedAsTheirRowsAre(architecture: NetworkArchitecture) throws {
        let network = try Network(architecture)
        let check = try GradientCheck(network, examples: 6, seed: 3)
        var workspace = network.makeWorkspace()
        let factored = network.gradients(of: check.examples, at: check.parameters, workspace: &workspace)
        let rows = factored.rows
        let matrix = Matrix(rows: 6, columns: network.layout.count, elements: rows.flatMap { $0 })
        func sum(_ gradients: some PerExampleGradients, clipNorm: Double) throws -> [Float] {
            let rule = try ClippingRule.flat(l2ClipNorm: clipNorm)
            var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
            var aggregate = try ClippedAggregate(
                rule, transform: IdentityTransform(layout: network.layout), noiseMultiplier: 0)
            aggregate.add(gradients)
            return try aggregate.privatized(noise: &noise).vector.values
        }
        let fromRows = try sum(DenseRows(matrix, layout: network.layout), clipNorm: 0.5)
        // Clip factors are at most C over the norm, and differ as norms do: by the norm of the tolerances over the
        // norm.
        var tolerances = [Double](repeating: 0, count: network.layout.count)
        for example in 0..<6 {
            let (gradient, own) = check[example]
            let norm = { (values: [Double]) in values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            let factor = min(1, 0.5 / (norm(gradient) - norm(own)))
            let relative = 2 * norm(own) / norm(gradient)
            for index in tolerances.indices {
                tolerances[index] += factor * (2 * own[index] + abs(gradient[index]) * relative)
            }
        }
        func failures(_ values: [Float]) -> Int {
            values.indices.count { !(abs(Double(values[$0]) - Double(fromRows[$0])) <= tolerances[$0]) }
        }
        #expect(try failures(sum(factored, clipNorm: 0.5)) == 0)
        // Control: under another clip norm it is another sum.
        #expect(try failures(sum(factored, clipNorm: 0.1)) > 0)
    }

    @Test(arguments: architectures)
    func examplesDoNotDependOnTheirBatchNorOnThreads(architecture: NetworkArchitecture) throws {
        let network = try Network(architecture)
        let check = try GradientCheck(network, examples: 7, seed: 4)
        let limit = Threads.limit
        defer {
            Threads.limit = limit
            Threads.sharesSmallWork = false
        }
        var workspace = network.makeWorkspace()
        let rows = network.gradients(of: check.examples, at: check.parameters, workspace: &workspace).rows
        #expect(network.gradients(of: check.examples, at: check.parameters, workspace: &workspace).rows == rows)
        Threads.sharesSmallWork = true
        for (threads, size) in [(1, 7), (3, 7), (2, 3), (1, 1)] {
            Threads.limit = threads
            for begin in stride(from: 0, to: 7, by: size) {
                let part = network.gradients(
                    of: check.examples.slice(begin..<min(7, begin + size)), at: check.parameters,
                    workspace: &workspace)
                #expect(check.failures(of: part.rows, first: begin) == 0, "\(threads) threads, \(size) examples")
            }
        }
    }

    @Test func aWorkspaceIsReusedOverBatchesOfAllSizes() throws {
        let network = try Network(.multilayerPerceptron(dims: [6, 5, 3]))
        var generator = SeededGenerator(seed: 9)
        let parameters = try generator.parameters(for: network)
        var workspace = network.makeWorkspace()
        var addresses: Set<UInt> = []
        for count in [9, 9, 4, 0, 9, 1] {
            let examples = generator.examples(count, for: network)
            let gradients = network.gradients(of: examples, at: parameters, workspace: &workspace)
            var fresh = network.makeWorkspace()
            #expect(gradients.rows == network.gradients(of: examples, at: parameters, workspace: &fresh).rows)
            if case .dense(_, _, _, let outputGradients) = gradients.parts[0] {
                addresses.insert(outputGradients.withUnsafeElements { UInt(bitPattern: $0.baseAddress) })
            }
        }
        #expect(addresses.count == 1)
    }

    /// A held gradient keeps its numbers, whatever the workspace does next.
    @Test func gradientsThatAreHeldStayAsTheyAre() throws {
        let network = try Network(.multilayerPerceptron(dims: [6, 5, 3]))
        let (first, second) = (
            try GradientCheck(network, examples: 4, seed: 1), try GradientCheck(network, examples: 4, seed: 2)
        )
        var workspace = network.makeWorkspace()
        let held = network.gradients(of: first.examples, at: first.parameters, workspace: &workspace)
        let rows = held.rows
        _ = network.gradients(of: second.examples, at: second.parameters, workspace: &workspace)
        #expect(held.rows == rows)
    }

    @Test func initialParametersAreReproducibleAndWithinTheirBounds() throws {
        let network = try Network(.multilayerPerceptron(dims: [30, 50, 10]))
        let parameters = network.initialParameters(seed: 7)
        #expect(parameters == network.initialParameters(seed: 7))
        #expect(parameters != network.initialParameters(seed: 8))
        let he = parameters[TreePath(["dense1", "kernel"])].values
        let glorot = parameters[TreePath(["dense2", "kernel"])].values
        for (values, bound) in [(he, (6 / Float(30)).squareRoot()), (glorot, (6 / Float(60)).squareRoot())] {
            let largest = values.map { abs($0) }.max()!
            #expect(largest <= bound && largest > 0.95 * bound)
            // The mean of n uniform numbers has a standard deviation of bound/√(3n); 4.5 of them: 7 in a million.
            let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
            #expect(abs(mean) < 4.5 * Double(bound) / (3 * Double(values.count)).squareRoot())
        }
        #expect(parameters[TreePath(["dense1", "bias"])].values.allSatisfy { $0 == 0 })
        #expect(
            try Network(.softmaxRegression(features: 4, classes: 3)).initialParameters(seed: 1).values
                == Array(repeating: 0, count: 15))
    }

    /// The first three numbers that are published for SplitMix64 from 1234567.
    @Test func initialParametersAreTheSameEverywhere() throws {
        let network = try Network(.multilayerPerceptron(dims: [6, 1, 2]))
        let published: [UInt64] = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        // He's bound for 6 inputs is 1.
        let expected = published.map { Float($0 >> 40) * 0x1p-23 - 1 }
        #expect(Array(network.initialParameters(seed: 1_234_567).values[..<3]) == expected)
    }

    @Test(
        arguments: [
            .softmaxRegression(features: 2, classes: 3), .multilayerPerceptron(dims: [2, 16, 3], activation: .tanh),
        ] as [NetworkArchitecture])
    func networksLearn(architecture: NetworkArchitecture) throws {
        // Three directions for three classes; the perceptron also has to tell the inner from the outer ring.
        let isNested = architecture.layers.count > 1
        var generator = SeededGenerator(seed: 6)
        let classes = (0..<150).map { $0 % 3 }
        let points = classes.flatMap { label -> [Float] in
            let angle = isNested ? Float.random(in: 0...6.28, using: &generator) : 2.1 * Float(label)
            let radius = isNested ? 0.5 + Float(label) : 2
            let jitter = generator.floats(2, in: -0.2...0.2)
            return [radius * cos(angle) + jitter[0], radius * sin(angle) + jitter[1]]
        }
        let examples = Examples(
            inputs: Matrix(rows: 150, columns: 2, elements: points), targets: .classes(classes, classCount: 3))
        let network = try Network(architecture)
        let optimizer = try adam(learningRate: 0.03)
        var parameters = network.initialParameters(seed: 1)
        var state = try optimizer.initialState(for: parameters)
        var gradient = ParameterVector(zeros: network.layout)
        var workspace = network.makeWorkspace()
        var losses: [Double] = []
        for _ in 0..<300 {
            losses.append(
                network.nonPrivateGradient(of: examples, at: parameters, into: &gradient, workspace: &workspace))
            optimizer.step(&gradient, state: &state, parameters: &parameters)
        }
        let outputs = network.outputs(for: examples.inputs, at: parameters, workspace: &workspace)
        guard case .classes(let predicted, _) = network.predictions(from: outputs) else {
            Issue.record("A network of classes predicted numbers.")
            return
        }
        #expect(zip(predicted, classes).count { $0 == $1 } >= 145)
        #expect(losses[299] < 0.3 * losses[0])
    }

    @Test func shapesThatDoNotFitTrap() async {
        await #expect(processExitsWith: .failure) {
            let network = try Network(.softmaxRegression(features: 2, classes: 3))
            var workspace = network.makeWorkspace()
            _ = network.outputs(
                for: Matrix(rows: 1, columns: 3), at: network.initialParameters(seed: 0), workspace: &workspace)
        }
        await #expect(processExitsWith: .failure) {
            let network = try Network(.softmaxRegression(features: 2, classes: 3))
            var workspace = network.makeWorkspace()
            let other = try Network(.softmaxRegression(features: 2, classes: 4)).initialParameters(seed: 0)
            _ = network.outputs(for: Matrix(rows: 1, columns: 2), at: other, workspace: &workspace)
        }
        await #expect(processExitsWith: .failure) {
            let network = try Network(.softmaxRegression(features: 2, classes: 3))
            var workspace = network.makeWorkspace()
            let examples = Examples(
                inputs: Matrix(rows: 1, columns: 2), targets: .classes([3], classCount: 3))
            _ = network.gradients(of: examples, at: network.initialParameters(seed: 0), workspace: &workspace)
        }
        await #expect(processExitsWith: .failure) {
            let network = try Network(.softmaxRegression(features: 2, classes: 3))
            var workspace = network.makeWorkspace()
            let examples = Examples(inputs: Matrix(rows: 1, columns: 2), targets: .values(Matrix(rows: 1, columns: 3)))
            _ = network.outputsAndLosses(
                of: examples, at: network.initialParameters(seed: 0), workspace: &workspace)
        }
        await #expect(processExitsWith: .failure) {
            let network = try Network(.softmaxRegression(features: 2, classes: 3))
            var workspace = network.makeWorkspace()
            var gradient = try Network(.softmaxRegression(features: 2, classes: 4)).initialParameters(seed: 0)
            let examples = Examples(inputs: Matrix(rows: 1, columns: 2), targets: .classes([0], classCount: 3))
            network.nonPrivateGradient(
                of: examples, at: network.initialParameters(seed: 0), into: &gradient, workspace: &workspace)
        }
    }
}
