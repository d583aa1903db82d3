import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import PyTrees

/// A network, a batch of random examples, and the settings that all paths share.
struct StepProblem {
    let network: Network
    let examples: Examples
    let parameters: ParameterVector
    let clipping: ClippingRule
    let noiseMultiplier = 1.0
    /// Rows that a dense path holds at once.
    let microbatch: Int

    /// Made-up examples of a network's inputs: standard normal features, or token ids from all of the vocabulary.
    ///
    /// - Parameter total: the batch that the sum is divided by, where these examples are a part of it.
    init(_ architecture: NetworkArchitecture, batch: Int, microbatch: Int, of total: Int? = nil) throws {
        network = try Network(architecture)
        var inputs = Matrix(rows: batch, columns: network.featureCount)
        if case .tokens(_, let vocabulary) = architecture.input {
            inputs.withUnsafeMutableElements { ids in
                // Spread over the vocabulary, and the same in every run.
                for index in ids.indices { ids[index] = Float((index * 7919 + index / 64 * 104_729) % vocabulary) }
            }
        } else {
            var noise = GaussianNoise(nonPrivateSeed: 1)
            inputs.withMutableRows(0..<batch) { noise.fill(&$0) }
        }
        let count = network.outputCount
        let targets: Targets =
            switch architecture.loss {
            case .squaredError: .values(Matrix(rows: batch, columns: count))
            case .logistic: .classes((0..<batch).map { $0 % 2 }, classCount: 2)
            case .softmaxCrossEntropy, .nextToken: .classes((0..<batch).map { $0 % count }, classCount: count)
            }
        examples = Examples(inputs: inputs, targets: targets)
        parameters = network.initialParameters(seed: 1)
        // A noisy sum that is small against the scaled gradients, so that second moments stay where they are.
        clipping = try .flat(l2ClipNorm: 1, normalizeBy: Double(total ?? batch))
        self.microbatch = min(batch, microbatch)
    }

    /// The networks that have a name: what the figures of sequences and images are measured on.
    static func architecture(named name: String) throws -> NetworkArchitecture {
        switch name {
        case "transformer":
            try NetworkArchitecture(
                specification: "transformer:layers=2,width=64,heads=4", featureCount: 64, outputCount: 10,
                vocabulary: 256)
        case "gru": try NetworkArchitecture(specification: "gru:64", featureCount: 64, outputCount: 10, vocabulary: 256)
        case "convolution": .mnistConvolutional()
        default: try JSONDecoder().decode(NetworkArchitecture.self, from: Data(contentsOf: URL(filePath: name)))
        }
    }

    /// Floating-point operations of the products in a non-private step of a perceptron: outputs, weight gradients, and
    /// input gradients of all layers but the first. Nil of other networks, whose kernels are used at every position.
    var operations: Double? {
        guard case .features = network.architecture.input else { return nil }
        let kernels = network.layout.leaves.filter { $0.shape.count == 2 }.map { Double($0.range.count) }
        return 2 * Double(examples.count) * (3 * kernels.reduce(0, +) - (kernels.first ?? 0))
    }

    /// How many examples' rows fit into 256 MB: at least 1, and at most the batch.
    var agreementBatch: Int { min(examples.count, max(1, 256_000_000 / (4 * network.layout.count))) }

    func requireMemory(for kinds: [StepPathKind]) throws {
        // The rows of each dense path, and some twelve vectors of parameters for each path.
        let rows = 4 * microbatch * kinds.count(where: \.isDense) + 48 * kinds.count
        let (bytes, overflow) = network.layout.count.multipliedReportingOverflow(by: rows)
        let needed = overflow ? Int.max : bytes
        if let available = SystemMemory.availableBytes, needed > available {
            throw BenchmarkError.notEnoughMemory(needed: needed, available: available)
        }
    }

    /// Throws unless the factored and the dense gradients give the same clipped mean, and without clipping the
    /// non-private gradient.
    func checkAgreement() throws {
        var workspace = network.makeWorkspace()
        var mean = ParameterVector(zeros: network.layout)
        network.nonPrivateGradient(of: examples, at: parameters, into: &mean, workspace: &workspace)
        let unclipped = try ClippingRule.flat(l2ClipNorm: .infinity, normalizeBy: Double(examples.count))
        for (rule, name) in [(clipping, "clipped"), (unclipped, "unclipped")] {
            let factored = network.gradients(of: examples, at: parameters, workspace: &workspace)
            let transform = IdentityTransform(layout: network.layout)
            var whole = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 0)
            whole.add(factored)
            let fromFactors = whole.nonPrivateSum()
            var instantiated = InstantiatedRows()
            var rows = try ClippedAggregate(rule, transform: transform, noiseMultiplier: 0)
            try instantiated.forEachMicrobatch(of: factored, size: microbatch) { rows.add($0) }
            let fromRows = rows.nonPrivateSum()
            try Self.require(fromFactors, near: fromRows, path: "factored, \(name)")
            if rule == unclipped {
                try Self.require(fromRows, near: mean, path: "dense, \(name)")
            }
        }
    }

    /// Float32 products of the same factors, in sums over the batch whose orders differ.
    private static func require(_ found: ParameterVector, near exact: ParameterVector, path: String) throws {
        let largest = exact.values.reduce(0) { max($0, abs($1)) }
        for index in exact.values.indices {
            let difference = abs(found.values[index] - exact.values[index])
            if !(difference <= 1e-4 * largest) {
                throw BenchmarkError.pathsDisagree(
                    path: path, parameter: index, found: found.values[index], exact: Double(exact.values[index]))
            }
        }
    }
}
