import Differentiation

extension NetworkArchitecture {
    /// Reads a short specification, as on a command line, of a model for data of `featureCount` features and
    /// `outputCount` classes or numbers.
    ///
    ///     linear                  linear regression
    ///     logistic                logistic regression, for two classes
    ///     softmax                 softmax regression
    ///     mlp:256-64              dense layers with ReLU of these hidden widths
    ///     mlp:256-64:tanh         with another activation, as `Activation` reads it
    ///     mlp:784-256-64-10       the same with all widths, for data of 784 features and 10 classes
    ///     cnn:mnist, cnn:mnist:tanh
    ///     transformer:layers=2,width=64,heads=4
    ///                             an embedding and positions, blocks, and a dense layer on the mean of all positions
    ///     transformer:layers=2,width=64,heads=4,head=tied
    ///                             causal, under the next-token loss
    ///     gru:64, gru:64-64       gated recurrent units of these widths over sequences, or over embedded tokens, and a
    ///                             dense layer on the last state
    ///     lstm:64, lstm:64-64     the same with long short-term memory
    ///
    /// Widths that begin with the number of features and end with the number of outputs are all of them. Where one end
    /// alone fits, nobody can tell what is meant, and `ModelError.widthsDoNotFit` shows both ways to write it.
    ///
    /// Throws a `ModelError` that names the part that cannot be read, or that does not fit the data.
    ///
    /// - `vocabulary`: the number of tokens, for data whose features are token ids.
    /// - `positions`: the number of positions of the longest example, for data of sequences.
    public init(
        specification text: String, featureCount: Int, outputCount: Int, vocabulary: Int? = nil, positions: Int? = nil
    ) throws(ModelError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts[0] {
        case "linear", "softmax", "logistic":
            if parts.count > 1 { throw .malformedSpecification(text, form: String(parts[0])) }
            self = try Self.regression(parts[0], featureCount: featureCount, outputCount: outputCount)
        case "mlp":
            guard parts.count == 2 || parts.count == 3 else {
                throw .malformedSpecification(text, form: "mlp:256-64 or mlp:256-64:tanh")
            }
            let dims = try Self.widths(parts[1], of: text, featureCount: featureCount, outputCount: outputCount)
            self = .multilayerPerceptron(dims: dims, activation: try Self.activation(parts.dropFirst(2)))
        case "cnn":
            guard parts.count == 2 || parts.count == 3, parts[1] == "mnist" else {
                throw .malformedSpecification(text, form: "cnn:mnist or cnn:mnist:tanh")
            }
            try Self.checkWidths(784, 10, featureCount: featureCount, outputCount: outputCount)
            self = .mnistConvolutional(activation: try Self.activation(parts.dropFirst(2)))
        case "transformer":
            guard parts.count <= 2 else { throw .malformedSpecification(text, form: TransformerForm.form) }
            guard let vocabulary else { throw .noVocabulary(text) }
            self = try TransformerForm(parts.dropFirst().first, of: text).architecture(
                length: featureCount, vocabulary: vocabulary, outputCount: outputCount)
        case "gru", "lstm":
            guard parts.count == 2 else { throw .malformedSpecification(text, form: "\(parts[0]):64") }
            let widths = try Self.widths(parts[1], of: text)
            let isGated = parts[0] == "gru"
            if let vocabulary {
                self = .recurrent(
                    isGated: isGated, widths: widths, input: .tokens(length: featureCount, vocabulary: vocabulary),
                    outputs: outputCount)
            } else if let positions, positions > 0, featureCount.isMultiple(of: positions) {
                self = .recurrent(
                    isGated: isGated, widths: widths,
                    input: .sequence(positions: positions, width: featureCount / positions), outputs: outputCount)
            } else {
                throw .dataAreNoSequences(text)
            }
        default: throw .unknownModel(text)
        }
    }

    /// Recurrences of the given widths, of which each runs over all states of the one before, and a dense layer on the
    /// last state.
    private static func recurrent(
        isGated: Bool, widths: [Int], input: Input, outputs: Int
    ) -> NetworkArchitecture {
        var layers: [Layer] = []
        if case .tokens = input { layers.append(.embedding(width: widths[0])) }
        layers += widths.enumerated().map { index, width in
            let states: ReturnedStates = index == widths.count - 1 ? .last : .all
            return isGated ? Layer.gru(width: width, returning: states) : .lstm(width: width, returning: states)
        }
        return NetworkArchitecture(
            input: input, layers: layers + [.dense(outputs: outputs, activation: .identity)], loss: .softmaxCrossEntropy
        )
    }

    private static func regression(
        _ name: Substring, featureCount: Int, outputCount: Int
    ) throws(ModelError) -> NetworkArchitecture {
        switch name {
        case "linear": return .linearRegression(features: featureCount, outputs: outputCount)
        case "softmax": return .softmaxRegression(features: featureCount, classes: outputCount)
        default:
            if outputCount != 2 { throw .tooManyClasses(outputCount) }
            return .logisticRegression(features: featureCount)
        }
    }

    private static func widths(
        _ part: Substring, of text: String, featureCount: Int, outputCount: Int
    ) throws(ModelError) -> [Int] {
        let widths = try Self.widths(part, of: text)
        guard widths.count >= 2 else { return [featureCount] + widths + [outputCount] }
        switch (widths.first == featureCount, widths.last == outputCount) {
        case (true, true): return widths
        case (false, false): return [featureCount] + widths + [outputCount]
        case (true, false): throw .widthsDoNotFit(widths, fitting: widths + [outputCount])
        case (false, true): throw .widthsDoNotFit(widths, fitting: [featureCount] + widths)
        }
    }

    private static func widths(_ part: Substring, of text: String) throws(ModelError) -> [Int] {
        var widths: [Int] = []
        for width in part.split(separator: "-", omittingEmptySubsequences: false) {
            guard let value = Int(width), value >= 1 else { throw .invalidWidth(String(width), specification: text) }
            widths.append(value)
        }
        return widths
    }

    private static func activation(_ parts: ArraySlice<Substring>) throws(ModelError) -> Activation {
        guard let part = parts.first else { return .relu }
        do throws(ActivationError) { return try Activation(part) } catch { throw .activation(error) }
    }

    private static func checkWidths(
        _ inputs: Int, _ outputs: Int, featureCount: Int, outputCount: Int
    ) throws(ModelError) {
        if inputs != featureCount { throw .widthMismatch(.inputs, model: inputs, data: featureCount) }
        if outputs != outputCount { throw .widthMismatch(.outputs, model: outputs, data: outputCount) }
    }
}
