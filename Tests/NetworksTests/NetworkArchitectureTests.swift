import Datasets
import Foundation
import Networks
import PyTrees
import Testing

@Suite struct NetworkArchitectureTests {
    private func error(_ text: String, features: Int = 784, outputs: Int = 10) -> ModelError? {
        do throws(ModelError) {
            _ = try NetworkArchitecture(specification: text, featureCount: features, outputCount: outputs)
            return nil
        } catch { return error }
    }

    private func error(_ input: NetworkArchitecture.Input, _ layers: [NetworkArchitecture.Layer]) -> ModelError? {
        do throws(ModelError) {
            _ = try Network(NetworkArchitecture(input: input, layers: layers, loss: .squaredError))
            return nil
        } catch { return error }
    }

    @Test func specificationsNameTheUsualModels() throws {
        let read = { (text: String, features: Int, outputs: Int) in
            try NetworkArchitecture(specification: text, featureCount: features, outputCount: outputs)
        }
        #expect(try read("linear", 5, 2) == .linearRegression(features: 5, outputs: 2))
        #expect(try read("logistic", 5, 2) == .logisticRegression(features: 5))
        #expect(try read("softmax", 5, 4) == .softmaxRegression(features: 5, classes: 4))
        #expect(try read("mlp:784-1000-10", 784, 10) == .multilayerPerceptron(dims: [784, 1000, 10]))
        #expect(try read("mlp:256", 784, 10) == .multilayerPerceptron(dims: [784, 256, 10]))
        #expect(try read("mlp:30-20", 5, 2) == .multilayerPerceptron(dims: [5, 30, 20, 2]))
        #expect(try read("mlp:784-10", 784, 10) == .softmaxRegression(features: 784, classes: 10))
        #expect(
            try read("mlp:784-256-10:tanh", 784, 10)
                == .multilayerPerceptron(dims: [784, 256, 10], activation: .tanh))
        #expect(
            try read("mlp:3-2-2:sigmoid=1.5,3,0.25", 3, 2)
                == .multilayerPerceptron(
                    dims: [3, 2, 2], activation: .temperedSigmoid(scale: 1.5, temperature: 3, offset: 0.25)))
        #expect(try read("cnn:mnist", 784, 10) == .mnistConvolutional())
        #expect(try read("cnn:mnist:gelu", 784, 10) == .mnistConvolutional(activation: .gelu))
    }

    @Test func transformersHaveTheSettingsOfTheirForm() throws {
        func read(_ text: String) throws -> NetworkArchitecture {
            try NetworkArchitecture(specification: text, featureCount: 16, outputCount: 3, vocabulary: 9)
        }
        let block = NetworkArchitecture.Layer.transformerBlock(heads: 2, hiddenWidth: 32, isCausal: false)
        let classifier = try read("transformer:layers=3,width=8,heads=2")
        #expect(
            classifier
                == NetworkArchitecture(
                    input: .tokens(length: 16, vocabulary: 9),
                    layers: [
                        .embedding(width: 8), .positionEmbedding, block, block, block, .layerNorm,
                        .sequencePooling(.mean), .dense(outputs: 3, activation: .identity),
                    ], loss: .softmaxCrossEntropy))
        #expect(try read("transformer:heads=2,layers=3,width=8") == classifier)
        #expect(try read("transformer") == read("transformer:layers=2,width=64,heads=4"))
        let tied = try read("transformer:layers=1,width=8,heads=2,head=tied")
        #expect(
            tied
                == NetworkArchitecture(
                    input: .tokens(length: 16, vocabulary: 9),
                    layers: [
                        .embedding(width: 8), .positionEmbedding,
                        .transformerBlock(heads: 2, hiddenWidth: 32, isCausal: true), .layerNorm, .tiedHead,
                    ], loss: .nextToken))
        #expect(try Network(classifier).outputCount == 3 && Network(tied).outputCount == 144)
        for text in [
            "transformer:", "transformer:layers", "transformer:depth=2", "transformer:layers=2,layers=2",
            "transformer:head=dense", "transformer:layers=2:tanh",
        ] {
            #expect { try read(text) } throws: {
                if case .malformedSpecification(text, _) = $0 as? ModelError { true } else { false }
            }
        }
        for number in ["0", "-1", "x", "", "99999999999"] {
            #expect(throws: ModelError.invalidWidth(number, specification: "transformer:width=\(number)")) {
                try read("transformer:width=\(number)")
            }
        }
        #expect(error("transformer") == .noVocabulary("transformer"))
        #expect(throws: ModelError.doesNotDivide(3, name: "heads", features: 64, layer: 2)) {
            try Network(read("transformer:heads=3"))
        }
    }

    @Test func specificationsThatCannotBeReadAreNamed() {
        #expect(error("") == .unknownModel(""))
        #expect(error("perceptron") == .unknownModel("perceptron"))
        #expect(error("softmax:3") == .malformedSpecification("softmax:3", form: "softmax"))
        #expect(error("logistic") == .tooManyClasses(10))
        for text in ["mlp", "mlp:784-10:relu:relu"] {
            guard case .malformedSpecification(text, _) = error(text) else {
                Issue.record("\(text) was read, or rejected otherwise.")
                continue
            }
        }
        #expect(error("mlp:784-x-10") == .invalidWidth("x", specification: "mlp:784-x-10"))
        #expect(error("mlp:784--10") == .invalidWidth("", specification: "mlp:784--10"))
        #expect(error("mlp:784-0-10") == .invalidWidth("0", specification: "mlp:784-0-10"))
        #expect(error("mlp:780-10") == .widthsDoNotFit([780, 10], fitting: [784, 780, 10]))
        #expect(error("mlp:784-30-12") == .widthsDoNotFit([784, 30, 12], fitting: [784, 30, 12, 10]))
        let sentence = error("mlp:256-10", features: 64)?.description ?? ""
        #expect(sentence.contains("mlp:64-256-10") && sentence.contains("mlp:256."), "\(sentence)")
        #expect(error("mlp:784-5-10:swish") == .activation(.unknownActivation("swish")))
        #expect(error("mlp:784-5-10:sigmoid=1,2") == .activation(.unknownActivation("sigmoid=1,2")))
        #expect(
            error("mlp:784-5-10:sigmoid=0,2,1") == .activation(.invalidSigmoid(scale: 0, temperature: 2, offset: 1)))
        #expect(error("cnn:cifar") == .malformedSpecification("cnn:cifar", form: "cnn:mnist or cnn:mnist:tanh"))
        #expect(error("cnn:mnist", features: 3072) == .widthMismatch(.inputs, model: 784, data: 3072))
    }

    @Test func architecturesThatDoNotFitTogetherAreNamed() {
        let image = NetworkArchitecture.Input.image(height: 5, width: 6, channels: 1)
        let dense = NetworkArchitecture.Layer.dense(outputs: 2, activation: .relu)
        #expect(error(.features(3), []) == .noLayers)
        #expect(error(.features(0), [dense]) == .invalidDimension(0, name: "number of features", layer: nil))
        #expect(
            error(.features(3), [.dense(outputs: -1, activation: .relu)])
                == .invalidDimension(-1, name: "number of outputs", layer: 0))
        #expect(
            error(.features(1 << 30), [.dense(outputs: 1 << 30, activation: .relu)])
                == .invalidDimension(1 << 30, name: "number of inputs", layer: 0))
        #expect(error(.features(3), [.pooling(.max, size: 1, stride: 1)]) == .noImage(layer: 0))
        #expect(error(image, [dense, .pooling(.max, size: 1, stride: 1)]) == .noImage(layer: 1))
        #expect(error(image, [.pooling(.max, size: 6, stride: 1)]) == .windowTooLarge(layer: 0, window: 6, image: 5))
        #expect(error(image, [.pooling(.max, size: 2, stride: 0)]) == .invalidDimension(0, name: "stride", layer: 0))
        #expect(
            error(image, [.convolution(outputs: 1, size: 2, stride: 1, padding: -1, activation: .relu)])
                == .invalidDimension(-1, name: "padding", layer: 0))
        let nonsense = Activation.temperedSigmoid(scale: 1, temperature: -1, offset: 0)
        #expect(
            error(.features(3), [.dense(outputs: 1, activation: nonsense)])
                == .activation(.invalidSigmoid(scale: 1, temperature: -1, offset: 0)))
        #expect(throws: ModelError.logisticNeedsOneOutput(outputs: 2)) {
            try Network(NetworkArchitecture(input: .features(3), layers: [dense], loss: .logistic))
        }
    }

    @Test func everyErrorSaysWhatToDo() {
        let errors: [ModelError] = [
            .unknownModel("x"), .malformedSpecification("mlp", form: "mlp:1-2"),
            .invalidWidth("q", specification: "mlp:q"), .widthMismatch(.inputs, model: 3, data: 4),
            .widthsDoNotFit([1, 2], fitting: [3, 2]), .tooManyClasses(3),
            .activation(.unknownActivation("swish")), .activation(.invalidSigmoid(scale: 0, temperature: 1, offset: 0)),
            .invalidDimension(-3, name: "padding", layer: 1), .noImage(layer: 2),
            .windowTooLarge(layer: 1, window: 9, image: 4), .noLayers, .logisticNeedsOneOutput(outputs: 7),
            .targetKindMismatch(loss: .logistic), .targetKindMismatch(loss: .squaredError),
            .targetKindMismatch(loss: .nextToken), .classOutOfRange(11, classCount: 10, example: 5),
            .noTokens(layer: 0), .noSequence(kind: "attention", layer: 1),
            .doesNotDivide(3, name: "heads", features: 64, layer: 2),
            .noEmbedding(layer: 3), .tiedWidthMismatch(features: 4, embedding: 3, layer: 2), .nextTokenNeedsTokens,
            .nextTokenNeedsScores(outputs: [4], positions: 5, vocabulary: 4),
            .nextTokenIsSeen(kind: "attention", layer: 1), .tokenOutOfRange(4, vocabulary: 4, example: 7),
            .tokenOutOfRange(1.5, vocabulary: 4, example: 7), .lengthOutOfRange(9, positions: 8, example: 7),
            .noVocabulary("transformer"),
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
        #expect(errors.allSatisfy { $0.description.hasSuffix(".") })
        #expect(ModelError.unknownModel("x\r\u{1b}").description.contains(#"'x\r\u{1b}'"#))
        #expect(errors[8].description.contains("-3") && errors[8].description.contains("at least 0"))
    }

    @Test func aSavedArchitectureBuildsTheSameNetwork() throws {
        let sigmoid = Activation.temperedSigmoid(scale: 1.58, temperature: 3, offset: 0.71)
        for architecture in [.mnistConvolutional(activation: sigmoid), .linearRegression(features: 3)]
            as [NetworkArchitecture]
        {
            let data = try JSONEncoder().encode(architecture)
            let read = try JSONDecoder().decode(NetworkArchitecture.self, from: data)
            #expect(read == architecture)
            #expect(try Network(read).layout == Network(architecture).layout)
        }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Activation.self, from: Data(#""swish""#.utf8)) }
    }

    @Test func theConvolutionalNetworkHasItsUsualParameters() throws {
        let network = try Network(.mnistConvolutional())
        #expect(network.layout.count == 26_010)
        #expect(network.featureCount == 784)
        #expect(network.outputCount == 10)
        let shapes = network.layout.leaves.map(\.shape)
        #expect(shapes == [[64, 16], [16], [256, 32], [32], [512, 32], [32], [32, 10], [10]])
        #expect(network.layout[TreePath(["conv2", "kernel"])] != nil)
    }

    @Test func perceptronsOfOneWidthTrap() async {
        await #expect(processExitsWith: .failure) { _ = NetworkArchitecture.multilayerPerceptron(dims: [3]) }
    }
}
