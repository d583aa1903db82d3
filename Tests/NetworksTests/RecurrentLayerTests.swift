import Datasets
import Foundation
import LinearAlgebra
import Networks
import PyTrees
import Testing

@Suite struct RecurrentLayerTests {
    private static func network(
        _ layers: [NetworkArchitecture.Layer], positions: Int = 4, width: Int = 3
    ) throws -> Network {
        try Network(
            NetworkArchitecture(
                input: .sequence(positions: positions, width: width),
                layers: layers + [.dense(outputs: 2, activation: .identity)], loss: .softmaxCrossEntropy))
    }

    private static func examples(_ network: Network, lengths: [Int], seed: UInt64 = 1) -> Examples {
        var generator = SeededGenerator(seed: seed)
        let all = generator.examples(lengths.count, for: network)
        return Examples(inputs: all.inputs, targets: all.targets, lengths: lengths)
    }

    static let layers: [[NetworkArchitecture.Layer]] = [
        [.gru(width: 5, returning: .last)], [.lstm(width: 5, returning: .last)],
        [.gru(width: 4, returning: .all), .dense(outputs: 3, activation: .tanh), .lstm(width: 2, returning: .last)],
        [
            .lstm(width: 3, returning: .all), .residual([.gru(width: 3, returning: .all)]),
            .gru(width: 2, returning: .last),
        ],
    ]

    @Test(arguments: layers)
    func gradientsAgreeWithDifferences(_ layers: [NetworkArchitecture.Layer]) throws {
        let network = try Self.network(layers)
        var generator = SeededGenerator(seed: 4)
        let check = network.checkGradients(
            of: Self.examples(network, lengths: [4, 1, 3, 0, 2]), at: try generator.parameters(for: network))
        #expect(check.passes, "\(check)")
        #expect(check.kinkCount == 0)
    }

    /// Scores are those of the definition: states number by number, and a dense layer on the last.
    @Test(arguments: ["gru", "lstm"])
    func outputsAreThoseOfTheDefinition(_ kind: String) throws {
        let network = try Self.network([
            kind == "gru" ? .gru(width: 5, returning: .last) : .lstm(width: 5, returning: .last)
        ])
        let (lengths, parameters) = ([4, 1, 3, 0, 2], network.initialParameters(seed: 3))
        let examples = Self.examples(network, lengths: lengths)
        var workspace = network.makeWorkspace()
        let outputs = network.outputs(
            for: examples.inputs, lengths: lengths, at: parameters, workspace: &workspace)
        func leaf(_ path: TreePath) -> [Double] { parameters[path].values.map(Double.init) }
        let reference = RecurrenceReference(
            width: 5, inputKernel: leaf(TreePath(["\(kind)1", "inputKernel"])),
            recurrentKernel: leaf(TreePath(["\(kind)1", "recurrentKernel"])),
            inputBias: leaf(TreePath(["\(kind)1", "inputBias"])),
            recurrentBias: leaf(TreePath(["\(kind)1", "recurrentBias"])))
        let (kernel, bias) = (leaf("dense1/kernel"), leaf("dense1/bias"))
        for example in 0..<5 {
            let row = examples.inputs.row(example).map(Double.init)
            let x = (0..<4).map { Array(row[$0 * 3..<($0 + 1) * 3]) }
            let states =
                kind == "gru"
                ? reference.gru(x, length: lengths[example]) : reference.lstm(x, length: lengths[example])
            for output in 0..<2 {
                let score = (0..<5).reduce(bias[output]) { $0 + states[3][$1] * kernel[$1 * 2 + output] }
                // Some hundred roundings of numbers of about 1, on the way through four positions.
                #expect(abs(Double(outputs[example, output]) - score) <= 100 * 0x1p-24)
            }
        }
    }

    @Test func leavesAreThoseOfPyTorchTransposed() throws {
        let network = try Self.network([.gru(width: 5, returning: .all), .lstm(width: 4, returning: .last)])
        let leaves = network.layout.leaves.map { "\($0.path) \($0.shape)" }
        #expect(
            leaves == [
                "gru1/inputKernel [3, 15]", "gru1/recurrentKernel [5, 15]", "gru1/inputBias [15]",
                "gru1/recurrentBias [15]", "lstm1/inputKernel [5, 16]", "lstm1/recurrentKernel [4, 16]",
                "lstm1/inputBias [16]", "lstm1/recurrentBias [16]", "dense1/kernel [4, 2]", "dense1/bias [2]",
            ])
        let start = network.initialParameters(seed: 1)
        #expect(start["lstm1/inputBias"].values == (0..<16).map { (4..<8).contains($0) ? 1 : 0 })
        for (path, width) in [("gru1/recurrentKernel", 5), ("lstm1/inputKernel", 4)] as [(TreePath, Float)] {
            let largest = start[path].values.map(abs).max() ?? 0
            // The largest of 60 and more uniform numbers is below half of the bound with a chance of 2⁻⁶⁰.
            #expect(largest <= 1 / width.squareRoot() && largest > 0.5 / width.squareRoot())
        }
    }

    @Test func aBatchMayBeEmpty() throws {
        for layer in [NetworkArchitecture.Layer.gru(width: 2, returning: .last), .lstm(width: 2, returning: .all)] {
            let network = try Network(
                NetworkArchitecture(
                    input: .sequence(positions: 3, width: 2), layers: [layer], loss: .squaredError))
            let examples = Examples(
                inputs: Matrix(rows: 0, columns: 6), targets: .values(Matrix(rows: 0, columns: network.outputCount)))
            var workspace = network.makeWorkspace()
            let parameters = network.initialParameters(seed: 1)
            #expect(network.gradients(of: examples, at: parameters, workspace: &workspace).exampleCount == 0)
        }
    }

    /// One layer alone is no regression, which would begin at zero and never leave it.
    @Test func aNetworkOfOneRecurrenceBeginsAtRandom() throws {
        let network = try Network(
            NetworkArchitecture(
                input: .sequence(positions: 3, width: 2), layers: [.gru(width: 2, returning: .last)],
                loss: .softmaxCrossEntropy))
        #expect(network.initialParameters(seed: 1).values.contains { $0 != 0 })
    }

    @Test func architecturesAreReadAsTheyAreWritten() throws {
        let architecture = NetworkArchitecture(
            input: .sequence(positions: 4, width: 3),
            layers: [
                .gru(width: 5, returning: .all), .lstm(width: 4, returning: .last),
                .dense(outputs: 2, activation: .identity),
            ], loss: .softmaxCrossEntropy)
        let data = try JSONEncoder().encode(architecture)
        #expect(try JSONDecoder().decode(NetworkArchitecture.self, from: data) == architecture)
        let text = #"""
            {"input": {"positions": 4, "width": 3}, "layers": [{"kind": "gru", "width": 5, "returns": "all"},
             {"kind": "lstm", "width": 4, "returns": "last"},
             {"kind": "dense", "outputs": 2, "activation": "identity"}], "loss": "softmaxCrossEntropy"}
            """#
        #expect(try JSONDecoder().decode(NetworkArchitecture.self, from: Data(text.utf8)) == architecture)
    }

    @Test func mistakesAreNamed() {
        func error(_ input: NetworkArchitecture.Input, _ layers: [NetworkArchitecture.Layer]) -> ModelError? {
            #expect(throws: ModelError.self) {
                try Network(NetworkArchitecture(input: input, layers: layers, loss: .squaredError))
            }
        }
        #expect(error(.features(6), [.gru(width: 2, returning: .last)]) == .noSequence(kind: "gru", layer: 0))
        #expect(
            error(
                .sequence(positions: 2, width: 3),
                [.lstm(width: 2, returning: .last), .lstm(width: 2, returning: .last)])
                == .noSequence(kind: "lstm", layer: 1))
        #expect(
            error(.sequence(positions: 2, width: 3), [.gru(width: 0, returning: .all)])
                == .invalidDimension(0, name: "width", layer: 0))
        #expect(
            error(.sequence(positions: 2, width: 3), [.lstm(width: 1 << 31, returning: .all)])
                == .invalidDimension(1 << 31, name: "width", layer: 0))
        #expect(
            error(.sequence(positions: 0, width: 3), [.gru(width: 2, returning: .all)])
                == .invalidDimension(0, name: "number of positions", layer: nil))
    }

    @Test func shortFormsAreThatOfTheData() throws {
        func read(_ text: String, positions: Int? = 4, features: Int = 12) throws -> NetworkArchitecture {
            try NetworkArchitecture(
                specification: text, featureCount: features, outputCount: 2, positions: positions)
        }
        #expect(try read("gru:5") == Self.network([.gru(width: 5, returning: .last)]).architecture)
        #expect(
            try read("lstm:5-6")
                == Self.network([.lstm(width: 5, returning: .all), .lstm(width: 6, returning: .last)]).architecture)
        #expect(throws: ModelError.malformedSpecification("gru", form: "gru:64")) { try read("gru") }
        #expect(throws: ModelError.malformedSpecification("lstm:4:relu", form: "lstm:64")) { try read("lstm:4:relu") }
        #expect(throws: ModelError.invalidWidth("x", specification: "gru:x")) { try read("gru:x") }
        #expect(throws: ModelError.dataAreNoSequences("gru:5")) { try read("gru:5", positions: nil) }
        #expect(throws: ModelError.dataAreNoSequences("gru:5")) { try read("gru:5", features: 13) }
    }
}
