import PyTrees

/// Which tensors of a safetensors file the leaves of a tree are, and how each is laid out there.
///
///     {"rules": [
///        {"from": "layers.*.linear1.weight", "to": "blocks/*/dense1/kernel", "order": "linear"},
///        {"from": "layers.*.linear1.bias", "to": "blocks/*/dense1/bias", "order": "same"},
///        {"from": "layers.*.self_attn.in_proj_weight", "to": "blocks/*/attention/key/kernel", "order": "linear",
///         "rows": [64, 128]}],
///      "allowMissing": ["head"]}
///
/// One mapping serves both directions: `SafeTensors.read(_:into:by:limit:)` and
/// `SafeTensors.write(_:by:metadata:to:)`. What is written is read again in every bit.
///
/// Nothing happens silently: a rule that finds no leaf or no tensor, a leaf that is not filled or that two rules fill,
/// and a tensor that a rule matches but that has no leaf (a layer more than the model has) are errors. Tensors that no
/// rule matches are left alone, whatever their type.
public struct WeightMapping: Hashable, Sendable {
    /// The rules. Their order does not matter: no two of them may fill the same leaf.
    public var rules: [Rule]

    /// The leaves and subtrees that may be missing; ``/PyTrees/TreePath/root`` for all.
    ///
    /// No rule has to fill them, and the file does not have to have their tensors; a rule of which it has none is an
    /// error all the same. Reading keeps the values that they have. Writing writes those that a rule fills.
    public var allowMissing: [TreePath]

    /// A mapping by `rules`, which have to fill all leaves but those in `allowMissing`.
    public init(_ rules: [Rule], allowMissing: [TreePath] = []) {
        self.rules = rules
        self.allowMissing = allowMissing
    }

    /// One or more tensors, and the leaves that they are.
    public struct Rule: Hashable, Sendable {
        /// The tensor's name. In each part between full stops, one `*` can stand for any text that is not empty.
        public let from: String

        /// The leaf's path, with as many `*` as ``from``: the first stands for the same text as the first there.
        public let to: String

        /// How the tensor lays out what the leaf holds.
        public let order: Order

        /// The rows of the tensor, counted along its first dimension, that are the leaf; nil for all.
        ///
        /// Several rules can so take a fused tensor apart, such as the query, key and value of PyTorch's
        /// `in_proj_weight`, or the three gates of a GRU's `weight_ih_l0`.
        public let rows: Range<Int>?

        let tensorPattern: WeightPattern
        let leafPattern: WeightPattern

        /// A rule from the tensors named `from` to the leaves at `to`.
        ///
        /// Throws ``WeightMappingProblem`` if `to` is no path, if the numbers of `*` differ or one part has several, if
        /// `rows` is empty or begins below 0, or if a size in `order` is below 1.
        public init(
            from: String, to: String, order: Order, rows: Range<Int>? = nil
        ) throws(WeightMappingProblem) {
            guard let path = TreePath(to) else { throw .notAPath(to) }
            self.from = from
            self.to = to
            self.order = order
            self.rows = rows
            tensorPattern = try WeightPattern(name: from)
            leafPattern = try WeightPattern(path: path)
            guard tensorPattern.starCount == leafPattern.starCount else {
                throw .starCountMismatch(from: from, to: to)
            }
            if let rows, rows.isEmpty || rows.lowerBound < 0 {
                throw .invalidRows([rows.lowerBound, rows.upperBound], from: from)
            }
            if let size = order.size, size.contains(where: { $0 < 1 }) { throw .invalidSize(size, from: from) }
        }
    }
}

extension WeightMapping.Rule {
    /// How a tensor lays out what a leaf holds. Our kernels are [inputs, outputs], and images row, column, channel.
    ///
    /// It has no default: a square kernel that is not transposed would be read without an error.
    public enum Order: Hashable, Sendable {
        /// The same elements in the same order and shape: biases, gains, embeddings.
        case same
        /// The `weight` of an `nn.Linear`, [outputs, inputs], as a kernel [inputs, outputs].
        case linear
        /// That of an `nn.Linear` behind an `nn.Flatten`: its inputs are an image of `height` × `width` pixels in the
        /// order channel, row, column.
        case flattened(height: Int, width: Int)
        /// The `weight` of an `nn.Conv2d`, [outputs, channels, height, width], as a kernel [height · width · channels,
        /// outputs].
        case convolution(height: Int, width: Int)

        /// The height and the width; nil where there is no image.
        var size: [Int]? {
            switch self {
            case .same, .linear: nil
            case .flattened(let height, let width), .convolution(let height, let width): [height, width]
            }
        }

        /// The name in JSON.
        var name: String {
            switch self {
            case .same: "same"
            case .linear: "linear"
            case .flattened: "flattened"
            case .convolution: "convolution"
            }
        }
    }
}
