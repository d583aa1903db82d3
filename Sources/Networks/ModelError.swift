import Differentiation
import PyTrees
import Requirements

/// What can be wrong with a model that configuration asks for, and with the data it is to learn from.
public enum ModelError: Error, Equatable, Sendable {
    /// A specification begins with a name that no model has.
    case unknownModel(String)
    /// A specification has parts that its model does not take, or lacks some that it needs; `form` shows what it takes.
    case malformedSpecification(String, form: String)
    /// A width in a specification is not a whole number, or below 1.
    case invalidWidth(String, specification: String)
    /// The widths of a specification begin or end with a width of the data, but not both; `fitting` are
    /// all widths of the model that has them.
    case widthsDoNotFit([Int], fitting: [Int])
    /// A logistic model has two classes, and the data more, or fewer.
    case tooManyClasses(Int)
    /// A model that was made for one data set does not fit another.
    case widthMismatch(WidthPlace, model: Int, data: Int)
    /// An activation function has a name or constants that none has.
    case activation(ActivationError)
    /// An architecture has a dimension below 1, or so large that the numbers of elements leave `Int`.
    case invalidDimension(Int, name: String, layer: Int?)
    /// A convolution or pooling layer follows one whose outputs are no image.
    case noImage(layer: Int)
    /// A layer over positions follows one whose outputs are no sequence.
    case noSequence(kind: String, layer: Int)
    /// A layer of numbers follows token ids.
    case tokensNotEmbedded(kind: String, layer: Int)
    /// An embedding follows numbers.
    case noTokens(layer: Int)
    /// The heads of attention do not divide its features, or the groups of a normalisation its channels.
    case doesNotDivide(Int, name: String, features: Int, layer: Int)
    /// A tied head follows no embedding.
    case noEmbedding(layer: Int)
    /// A tied head is given another number of features than the embedding's rows have.
    case tiedWidthMismatch(features: Int, embedding: Int, layer: Int)
    /// The next-token loss was asked for, and the inputs are no tokens.
    case nextTokenNeedsTokens
    /// The next-token loss was asked for, and the outputs are not a score for each token at each position.
    case nextTokenNeedsScores(outputs: [Int], positions: Int, vocabulary: Int)
    /// The next-token loss was asked for, and a layer sees the tokens that are to be predicted.
    case nextTokenIsSeen(kind: String, layer: Int)
    /// The window of a convolution or pooling layer is larger than the image it slides over.
    case windowTooLarge(layer: Int, window: Int, image: Int)
    /// A kernel of one input cannot be standardised.
    case nothingToStandardise(layer: Int)
    /// A rate of dropout lies outside of [0, 1).
    case invalidRate(Double, layer: Int)
    /// The rank of an adapter lies outside of 1...min(inputs, outputs).
    case invalidRank(Int, inputs: Int, outputs: Int, layer: Int)
    /// The α of an adapter is not positive, or not finite.
    case invalidAlpha(Float, layer: Int)
    /// The layers inside of a residual connection put out another shape than they are given.
    case residualChangesShape(layer: Int, from: [Int], to: [Int])
    /// Something is wrong with the layers inside of a residual connection.
    indirect case insideResidual(layer: Int, ModelError)
    /// A recurrent model was asked for, and the data are no sequences.
    case dataAreNoSequences(String)
    /// An architecture has no layer.
    case noLayers
    /// The logistic loss takes one score, and the architecture ends with another number.
    case logisticNeedsOneOutput(outputs: Int)
    /// A model of classes was given numbers as targets, or the other way round.
    case targetKindMismatch(loss: LossFunction)
    /// There is another number of labels than there are positions with scores.
    case labelCountMismatch(labels: Int, positions: Int)
    /// A position's label is neither negative nor a class in 0..<`classCount`.
    case labelOutOfRange(Float, classCount: Int, example: Int)
    /// A class lies outside 0..<`classCount`.
    case classOutOfRange(Int, classCount: Int, example: Int)
    /// A token id is not a whole number below the vocabulary.
    case tokenOutOfRange(Float, vocabulary: Int, example: Int)
    /// An example has more positions than there is room for.
    case lengthOutOfRange(Int, positions: Int, example: Int)
    /// A model of tokens was asked for, and nobody says how many there are.
    case noVocabulary(String)
    /// Parameters have another leaf than the model in some place: the first that differs. Nil where one of them has no
    /// more leaves, and for both if they differ in empty subtrees only.
    case parametersDoNotFit(found: TreeLayout.Leaf?, expected: TreeLayout.Leaf?)
    /// A parameter to begin from is infinite or not a number.
    case parameterNotFinite(TreePath, value: Float)
    /// A path to freeze leads to no leaf of the model; `known` are those that do, and those of subtrees.
    case unknownFrozenPath(TreePath, known: [TreePath])
    /// All leaves are frozen.
    case nothingToTrain

    /// Which end of a model does not fit.
    public enum WidthPlace: String, Sendable {
        /// The features of an example.
        case inputs
        /// The scores or numbers that a model puts out.
        case outputs
    }
}

extension ModelError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy. Control characters of a specification are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .unknownModel(let name):
            "There is no model '\(name)': choose linear, logistic, softmax, mlp:256 (hidden widths), cnn:mnist, "
                + "gru:64, lstm:64 or transformer:layers=2,width=64,heads=4."
        case .malformedSpecification(let text, let form):
            "The model '\(text)' cannot be read: write it as \(form)."
        case .invalidWidth(let width, let text):
            "The width '\(width)' in the model '\(text)' must be a whole number of at least 1."
        case .widthMismatch(let place, let model, let data):
            "The model has \(model) \(place.rawValue), but the data need \(data): change the model or the data."
        case .widthsDoNotFit(let widths, let fitting):
            "The widths \(Self.text(widths)) begin or end as data of \(fitting[0]) inputs and "
                + "\(fitting[fitting.count - 1]) outputs do, but not both. Write all widths, mlp:\(Self.text(fitting))"
                + Self.hiddenWidths(of: fitting)
        case .tooManyClasses(let count):
            "A logistic model has 2 classes, but the data has \(count): choose softmax."
        case .activation(let error): error.description
        case .invalidDimension(let value, let name, let layer):
            "The \(name)\(layer.map { " of layer \($0)" } ?? "") is \(value), but must be "
                + "\(name == "padding" ? "at least 0" : "at least 1") and small enough to count the elements."
        case .noImage(let layer):
            "Layer \(layer) slides over an image, but the layer before it has none: begin with an image, and put "
                + "convolution and pooling before the first dense layer."
        case .noSequence(let kind, let layer):
            "Layer \(layer), \(kind), runs over the positions of a sequence, but what it is given has none: begin with "
                + "a sequence, and put it before layers that put out one vector."
        case .nothingToStandardise(let layer):
            "The kernel of layer \(layer) has one input, which cannot be standardised: give it a size of at least 2, "
                + "or leave out standardised."
        case .invalidRate(let rate, let layer):
            "The rate of dropout of layer \(layer) is \(rate), but must be in [0, 1)."
        case .invalidRank(let rank, let inputs, let outputs, let layer):
            "The rank of the adapter of layer \(layer) is \(rank), but must be in 1...\(min(inputs, outputs)), as the "
                + "layer has \(inputs) inputs and \(outputs) outputs."
        case .invalidAlpha(let alpha, let layer):
            "The alpha of the adapter of layer \(layer) is \(alpha), but must be positive and finite: twice the rank "
                + "is usual."
        case .residualChangesShape(let layer, let before, let after):
            "The layers inside of the residual layer \(layer) are given the shape \(before) and put out \(after): both "
                + "have to be the same, to be added."
        case .insideResidual(let layer, let error): "Inside of the residual layer \(layer): \(error.sentence)"
        case .dataAreNoSequences(let text):
            "The model '\(text)' runs over the positions of sequences, and the data have none: give data of sequences, "
                + "or choose a model of vectors, such as mlp:256."
        case .tokensNotEmbedded(let kind, let layer):
            "Layer \(layer), \(kind), takes numbers, and was given token ids: put an embedding before it."
        case .noTokens(let layer):
            "Layer \(layer), embedding, takes token ids, and was given numbers: begin with tokens, and put it first."
        case .doesNotDivide(let count, let name, let features, let layer):
            "\(count) \(name) do not divide the \(features) features of layer \(layer): choose one of "
                + "\(Self.divisors(of: features))."
        case .noEmbedding(let layer):
            "Layer \(layer), tiedHead, takes the table of an embedding, and none comes before it: begin with one, or "
                + "end with a dense layer."
        case .tiedWidthMismatch(let features, let embedding, let layer):
            "Layer \(layer), tiedHead, is given \(features) features, and the rows of the embedding have \(embedding): "
                + "make both the same."
        case .nextTokenNeedsTokens:
            "The next-token loss predicts tokens, and the inputs are none: begin with tokens, or choose another loss."
        case .nextTokenNeedsScores(let outputs, let positions, let vocabulary):
            "The next-token loss takes a score for each of \(vocabulary) tokens at each of \(positions) positions, and "
                + "the network puts out the shape \(outputs): end with a tiedHead, or a dense layer of \(vocabulary) "
                + "outputs."
        case .nextTokenIsSeen(let kind, let layer):
            "Layer \(layer), \(kind), sees the tokens that the next-token loss asks for: make it causal."
        case .windowTooLarge(let layer, let window, let image):
            "The window of layer \(layer) is \(window) pixels wide, and the padded image only \(image): make it "
                + "smaller."
        case .noLayers:
            "A network without layers has nothing to train: give it at least one."
        case .logisticNeedsOneOutput(let outputs):
            "The logistic loss takes 1 output, and the network has \(outputs): use the softmax cross-entropy for more."
        case .targetKindMismatch(let loss):
            switch loss {
            case .squaredError:
                "The squared error needs numbers as targets, and was given classes: use a softmax model."
            case .nextToken:
                "The next-token loss predicts tokens, and was given numbers as targets: leave them out, or use a "
                    + "linear model."
            case .logistic, .softmaxCrossEntropy:
                "A model of classes was given numbers as targets: use a linear model."
            }
        case .labelCountMismatch(let labels, let positions):
            "Each example has \(labels) labels, but the model has scores for \(positions) positions: give one for "
                + "each, -1 for those to be ignored."
        case .labelOutOfRange(let value, let classCount, let example):
            "Example \(example) has the label \(value), which is neither a whole number in 0..<\(classCount) nor -1: "
                + "correct the data."
        case .classOutOfRange(let value, let classCount, let example):
            "Example \(example) has class \(value), outside 0..<\(classCount): correct the data."
        case .tokenOutOfRange(let id, let vocabulary, let example):
            "Example \(example) has the token id \(Int(exactly: id).map(String.init) ?? "\(id)"), but ids are whole "
                + "numbers in 0..<\(vocabulary), and negative for padding: correct the data, or give the model a "
                + "larger vocabulary."
        case .lengthOutOfRange(let length, let positions, let example):
            "Example \(example) has a length of \(length), but there are \(positions) positions: correct the lengths."
        case .noVocabulary(let text):
            "The model '\(text)' takes token ids, and the data have none: give data of tokens, or choose mlp:256."
        case .parametersDoNotFit(let found?, let expected?):
            "The parameters have \(found) where the model has \(expected): give parameters of the same model."
        case .parametersDoNotFit(let found?, nil):
            "The parameters have \(found), which the model lacks: give parameters of the same model."
        case .parametersDoNotFit(nil, let expected?):
            "The parameters lack the model's \(expected): give parameters of the same model."
        case .parametersDoNotFit(nil, nil):
            "The parameters have other empty subtrees than the model: give parameters of the same model."
        case .parameterNotFinite(let path, let value):
            "The parameter '\(path)' holds \(value), but training must begin from finite numbers."
        case .unknownFrozenPath(let path, let known):
            "There is nothing at '\(path)' to freeze: "
                + (nearest(to: "\(path)", among: known.map(\.description)).map { "did you mean '\($0)'?" }
                    ?? "choose among " + known.map { "'\($0)'" }.joined(separator: ", ") + ".")
        case .nothingToTrain:
            "All parameters are frozen, and nothing is left to train: leave at least one leaf out."
        }
    }

    /// The other way to write widths, where it is not ambiguous itself.
    private static func hiddenWidths(of widths: [Int]) -> String {
        let hidden = widths.dropFirst().dropLast()
        let isClear = hidden.count == 1 || hidden.first != widths.first && hidden.last != widths.last
        return isClear ? ", or the hidden ones alone, mlp:\(text(hidden))." : "."
    }

    private static func divisors(of features: Int) -> String {
        (1...max(1, features)).filter { features.isMultiple(of: $0) }.map(String.init).joined(separator: ", ")
    }

    private static func text(_ widths: some Sequence<Int>) -> String { widths.map(String.init).joined(separator: "-") }
}
