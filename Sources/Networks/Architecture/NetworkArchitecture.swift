import Differentiation
import Requirements

/// What a network is made of: enough to build it again, for configuration and saved models.
public struct NetworkArchitecture: Hashable, Sendable {
    /// What an example looks like.
    public var input: Input
    /// The layers, in the order in which outputs become inputs.
    public var layers: [Layer]
    /// What training makes small.
    public var loss: LossFunction

    /// An architecture; whether its parts fit together is found when a ``Network`` is built.
    public init(input: Input, layers: [Layer], loss: LossFunction) {
        self.input = input
        self.layers = layers
        self.loss = loss
    }

    /// The shape of an example.
    public enum Input: Hashable, Sendable {
        /// A vector.
        case features(Int)
        /// An image, row after row, a pixel's channels beside each other: height · width · channels features.
        case image(height: Int, width: Int, channels: Int)
        /// A sequence, position after position: positions · width features. Of an example with fewer positions the rest
        /// is padding.
        case sequence(positions: Int, width: Int)
        /// Up to `length` token ids in 0..<`vocabulary`; negative ones, and those beyond an example's length, are
        /// padding.
        case tokens(length: Int, vocabulary: Int)
    }

    /// One layer: what its kind says of it.
    public struct Layer: Sendable {
        let blueprint: any LayerBlueprint

        init(_ blueprint: some LayerBlueprint) { self.blueprint = blueprint }

        /// The kinds of layer that an architecture in JSON can name.
        static let kinds: [any LayerBlueprint.Type] = [
            DenseBlueprint.self, ConvolutionBlueprint.self, PoolBlueprint.self,
            EmbeddingBlueprint.self, PositionEmbeddingBlueprint.self, MultiHeadAttentionBlueprint.self,
            TransformerBlockBlueprint.self, LayerNormBlueprint.self, RMSNormBlueprint.self, GroupNormBlueprint.self,
            SequencePoolingBlueprint.self, TiedHeadBlueprint.self, GRUBlueprint.self, LSTMBlueprint.self,
            DropoutBlueprint.self, ResidualBlueprint.self, LowRankAdapterBlueprint.self,
        ]
    }
}

extension NetworkArchitecture {
    /// The kinds of the layers in their order, equal ones counted: `embedding, 2 × transformerBlock, dense`.
    public var summary: String {
        var runs: [(kind: String, count: Int)] = []
        for kind in layers.map({ type(of: $0.blueprint).kind }) {
            if runs.last?.kind == kind {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((kind, 1))
            }
        }
        return runs.map { $0.count == 1 ? $0.kind : "\($0.count) × \($0.kind)" }.joined(separator: ", ")
    }
}

extension NetworkArchitecture.Layer: Hashable {
    /// Whether kinds and numbers agree.
    public static func == (left: Self, right: Self) -> Bool {
        AnyHashable(left.blueprint) == AnyHashable(right.blueprint)
    }

    /// Hashes kind and numbers.
    public func hash(into hasher: inout Hasher) { AnyHashable(blueprint).hash(into: &hasher) }
}

extension NetworkArchitecture {
    /// y = xᵀK + b under the squared error.
    public static func linearRegression(features: Int, outputs: Int = 1) -> NetworkArchitecture {
        regression(features, outputs, .squaredError)
    }

    /// One score for two classes under the logistic loss.
    public static func logisticRegression(features: Int) -> NetworkArchitecture {
        regression(features, 1, .logistic)
    }

    /// A score for each class under the softmax cross-entropy.
    public static func softmaxRegression(features: Int, classes: Int) -> NetworkArchitecture {
        regression(features, classes, .softmaxCrossEntropy)
    }

    private static func regression(_ features: Int, _ outputs: Int, _ loss: LossFunction) -> NetworkArchitecture {
        NetworkArchitecture(
            input: .features(features), layers: [.dense(outputs: outputs, activation: .identity)], loss: loss)
    }

    /// Dense layers of the widths `dims`, features first, scores of classes last: `[784, 1024, 10]`.
    ///
    /// `activation` follows every layer but the last. Traps if there are fewer than two widths.
    public static func multilayerPerceptron(
        dims: [Int], activation: Activation = .relu, loss: LossFunction = .softmaxCrossEntropy
    ) -> NetworkArchitecture {
        require(dims.count >= 2, "A perceptron needs the widths of its inputs and outputs, and was given \(dims).")
        let layers = dims.indices.dropFirst().map { index in
            Layer.dense(outputs: dims[index], activation: index == dims.count - 1 ? .identity : activation)
        }
        return NetworkArchitecture(input: .features(dims[0]), layers: layers, loss: loss)
    }

    /// The usual network of private training on 28 × 28 grey images of ten classes, with 26,010 parameters: two
    /// convolutions with max-pooling and two dense layers. Source: as in arXiv 2007.14191.
    public static func mnistConvolutional(activation: Activation = .relu) -> NetworkArchitecture {
        NetworkArchitecture(
            input: .image(height: 28, width: 28, channels: 1),
            layers: [
                .convolution(outputs: 16, size: 8, stride: 2, padding: 3, activation: activation),
                .pooling(.max, size: 2, stride: 1),
                .convolution(outputs: 32, size: 4, stride: 2, padding: 0, activation: activation),
                .pooling(.max, size: 2, stride: 1),
                .dense(outputs: 32, activation: activation),
                .dense(outputs: 10, activation: .identity),
            ], loss: .softmaxCrossEntropy)
    }
}
