import Differentiation

/// What `transformer:layers=2,width=64,heads=4` says.
struct TransformerForm {
    static let form = "transformer:layers=2,width=64,heads=4, with head=tied for the next-token loss"

    private var layers = 2
    private var width = 64
    private var heads = 4
    private var isTied = false

    /// Reads settings in any order, each at most once; what is left out is as in ``form``.
    ///
    /// - Parameter settings: what follows the name; nil for nothing.
    init(_ settings: Substring?, of text: String) throws(ModelError) {
        var seen: Set<Substring> = []
        for setting in settings?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
            let parts = setting.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, seen.insert(parts[0]).inserted else {
                throw .malformedSpecification(text, form: Self.form)
            }
            switch parts[0] {
            case "layers": layers = try Self.number(parts[1], of: text)
            case "width": width = try Self.number(parts[1], of: text)
            case "heads": heads = try Self.number(parts[1], of: text)
            case "head" where parts[1] == "tied": isTied = true
            default: throw .malformedSpecification(text, form: Self.form)
            }
        }
    }

    private static func number(_ part: Substring, of text: String) throws(ModelError) -> Int {
        // Far from overflow, and more than any transformer has.
        guard let value = Int(part), value >= 1, value < 1 << 20 else {
            throw .invalidWidth(String(part), specification: text)
        }
        return value
    }

    /// Embedding, positions, blocks of four times the width, a last normalisation, and a head: pooling and a dense
    /// layer, or the embedding again.
    func architecture(length: Int, vocabulary: Int, outputCount: Int) -> NetworkArchitecture {
        let block = NetworkArchitecture.Layer.transformerBlock(
            heads: heads, hiddenWidth: 4 * width, isCausal: isTied)
        let head: [NetworkArchitecture.Layer] =
            isTied ? [.tiedHead] : [.sequencePooling(.mean), .dense(outputs: outputCount, activation: .identity)]
        return NetworkArchitecture(
            input: .tokens(length: length, vocabulary: vocabulary),
            layers: [.embedding(width: width), .positionEmbedding] + Array(repeating: block, count: layers)
                + [.layerNorm] + head, loss: isTied ? .nextToken : .softmaxCrossEntropy)
    }
}
