import PyTrees
import Requirements

/// One tensor for each example, inside of a model's function: what operations take and give.
///
/// The function reads as if there were one example. What runs is recorded from it, and computes a block of examples at
/// once. There is no axis of examples in ``shape``, so that nothing can mix them. The first axis of a value of more
/// than one axis are positions, of a sequence or of an image; the last are features.
///
/// A value whose positions are partly padding knows which: operations over positions leave the others out.
public struct Value {
    let recorder: Recorder
    let node: Int
    /// The dimensions for one example, outermost first; `[]` for a single number.
    public let shape: [Int]
    /// The node that says which positions there are.
    let mask: Int?

    /// The number of features: the last dimension, or 1.
    public var featureCount: Int { shape.last ?? 1 }

    /// The number of positions: the product of all dimensions but the last.
    public var positionCount: Int { shape.dropLast().reduce(1, *) }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
}

/// Whole numbers for each example: token ids, −1 for padding, or a class.
public struct Indices {
    let recorder: Recorder
    let node: Int
    /// The dimensions for one example: `[]` for a class, `[positions]` for a sequence.
    public let shape: [Int]
    let mask: Int?

    /// The number of indices.
    public var count: Int { shape.reduce(1, *) }
}

extension Value {
    /// Records an operation on this value, other values and parameters.
    ///
    /// A parameter is a tensor of the model that the function was given. Any other tensor is a constant, and has no
    /// gradient.
    ///
    /// - `keepsPositions`: whether the output has this value's positions: what is padding then stays padding. A
    ///   value of one dimension has none to keep.
    public func applying(
        _ operation: some Operation, to others: [Value] = [], parameters: [Tensor] = [], keepsPositions: Bool = true
    ) -> Value {
        applying(
            operation, inputs: others.map { ($0.node, $0.shape) }, parameters: parameters,
            mask: keepsPositions ? positionMask : nil)
    }

    /// The mask where positions and features are different dimensions; nil for a vector, whose numbers an operation may
    /// mix.
    var positionMask: Int? { shape.count > 1 ? mask : nil }

    func applying(
        _ operation: some Operation, inputs others: [(node: Int, shape: [Int])] = [], parameters: [Tensor] = [],
        mask: Int?
    ) -> Value {
        let result = recorder.append(operation, inputs: [(node, shape)] + others, parameters: parameters)
        return Value(
            recorder: recorder, node: result.node, shape: result.shape,
            mask: recorder.mask(mask, for: result.shape))
    }

    /// The same elements in another shape, without copying them.
    ///
    /// Traps unless the shape has as many elements. Positions that are padding stay so where the first dimension stays.
    public func reshaped(_ shape: Int...) -> Value { reshaped(to: shape) }

    func reshaped(to shape: [Int]) -> Value {
        require(
            shape.reduce(1, *) == count, "A value of shape \(self.shape) cannot be given the shape \(shape).")
        return Value(recorder: recorder, node: node, shape: shape, mask: recorder.mask(mask, for: shape))
    }

    /// The node of the mask, as a further input of an operation.
    var maskInput: [(node: Int, shape: [Int])] { mask.map { [($0, [shape[0]])] } ?? [] }
}

/// What a model's function is told of one example.
public struct ExampleValues {
    let recorder: Recorder
    /// The number of features.
    let featureCount: Int
    let targetCount: Int

    /// The features: shape `[features]`.
    public var features: Value { Value(recorder: recorder, node: featuresNode, shape: [featureCount], mask: nil) }

    /// The features as an image, of shape `[height, width, channels]`. Traps unless there are as many.
    public func image(height: Int, width: Int, channels: Int) -> Value {
        features.reshaped(height, width, channels)
    }

    /// The features as a sequence, of shape `[positions, features / positions]`; positions beyond an example's length
    /// are padding. Traps unless there are whole positions.
    public func sequence(positions: Int) -> Value {
        require(
            positions > 0 && featureCount.isMultiple(of: positions),
            "\(featureCount) features are not \(positions) positions.")
        return Value(
            recorder: recorder, node: featuresNode, shape: [positions, featureCount / positions],
            mask: recorder.node(.positions, shape: [positions]))
    }

    /// The features as token ids, one for each position; negative ones, and those beyond an example's length, are
    /// padding.
    public var tokens: Indices {
        let positions = recorder.node(.positions, shape: [featureCount])
        let mask = recorder.append(
            TokenMask(), inputs: [(featuresNode, [featureCount]), (positions, [featureCount])], parameters: [])
        return Indices(recorder: recorder, node: featuresNode, shape: [featureCount], mask: mask.node)
    }

    /// The class, for data whose targets are classes: shape `[]`.
    public var label: Indices {
        Indices(recorder: recorder, node: recorder.node(.label, shape: []), shape: [], mask: nil)
    }

    /// The numbers to be predicted, for data whose targets are numbers: shape `[targets]`.
    public var target: Value {
        Value(recorder: recorder, node: recorder.node(.target, shape: [targetCount]), shape: [targetCount], mask: nil)
    }

    /// The numbers to be predicted as classes, one for each position; negative ones are ignored.
    public var labels: Indices {
        Indices(
            recorder: recorder, node: recorder.node(.target, shape: [targetCount]), shape: [targetCount], mask: nil)
    }

    private var featuresNode: Int { recorder.node(.features, shape: [featureCount]) }
}
