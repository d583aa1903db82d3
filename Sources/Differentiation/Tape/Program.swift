import PyTrees
import Requirements

/// A model's function, recorded: the operations in their order, and which parameters they take.
///
/// Recorded once; it then runs on blocks of any number of examples.
public struct Program: Sendable {
    /// The parameters' layout.
    public let layout: TreeLayout
    /// The number of features of an example.
    public let featureCount: Int
    /// The shape of an example's outputs.
    public let outputShape: [Int]
    /// The number of positions that an example can have; nil where the function asks for no positions.
    public let positionCount: Int?
    /// How outputs are read.
    public let function: LossFunction
    /// What token ids lie below: the number of rows of the smallest table that looks them up, or of classes that they
    /// are compared with. Nil where features are no ids.
    public let vocabulary: Int?
    /// The leaves that no operation takes: their gradients are zero, whatever the examples are.
    public let unusedLeaves: [TreePath]
    /// Whether an operation draws random numbers in training.
    public let isRandom: Bool

    let nodes: [Node]
    /// What tells programs apart: copies are the same recording.
    let recording = Recording()
    let constants: [Tensor]
    let loss: Int
    let outputs: Int
    /// The leaves whose gradients are asked for.
    private(set) var isTrained: [Bool]
    /// Whether the gradient of a node is needed for that of a parameter.
    private(set) var needsGradient: [Bool]
    /// Whether the loss can be differentiated by a node.
    private let isLossAfter: [Bool]
    /// Whether the outputs depend on a node.
    let isBeforeOutputs: [Bool]

    /// Records `function`.
    ///
    /// Traps if the function returns a loss of another recording, or if the parameters' leaves are not tensors.
    ///
    /// - `parameters`: gives the structure; its values do not matter.
    /// - `targetCount`: the number of numbers to be predicted, where targets are numbers.
    public init<Parameters: PyTree>(
        parameters: Parameters, featureCount: Int, targetCount: Int = 1,
        _ function: (Parameters, ExampleValues) -> Loss
    ) {
        let layout = parameters.requiredLayout
        let recorder = Recorder(layout: layout)
        let loss = function(
            parameters.standIn(for: layout),
            ExampleValues(recorder: recorder, featureCount: featureCount, targetCount: targetCount))
        require(
            loss.value.recorder === recorder && loss.outputs.recorder === recorder,
            "A model's function has to return a loss of the example that it was given.")
        let nodes = recorder.nodes
        var isLossAfter = [Bool](repeating: false, count: nodes.count)
        var isBeforeOutputs = isLossAfter
        isLossAfter[recorder.place(of: loss.value.node)] = true
        isBeforeOutputs[recorder.place(of: loss.outputs.node)] = true
        for index in nodes.indices.reversed() {
            for (place, input) in nodes[index].inputs.enumerated() {
                if isBeforeOutputs[index] { isBeforeOutputs[input] = true }
                if isLossAfter[index], nodes[index].operation?.isDifferentiable(input: place) ?? false {
                    isLossAfter[input] = true
                }
            }
        }
        var used: Set<Int> = []
        for (index, node) in nodes.enumerated() {
            if isLossAfter[index] { used.formUnion(node.leaves) }
        }
        self.layout = layout
        self.featureCount = featureCount
        self.function = loss.function
        outputShape = loss.outputs.shape
        positionCount = nodes.lazy.compactMap { if case .positions = $0.source { $0.count } else { nil } }.min()
        vocabulary = nodes.vocabulary
        unusedLeaves = layout.leaves.indices.filter { !used.contains($0) }.map { layout.leaves[$0].path }
        isRandom = nodes.contains { $0.operation is any RandomOperation }
        self.nodes = nodes
        constants = recorder.constants
        self.loss = recorder.place(of: loss.value.node)
        outputs = recorder.place(of: loss.outputs.node)
        self.isLossAfter = isLossAfter
        self.isBeforeOutputs = isBeforeOutputs
        isTrained = layout.leaves.map { _ in true }
        needsGradient = []
        needsGradient = nodesThatNeedGradients
    }

    private var nodesThatNeedGradients: [Bool] {
        var result: [Bool] = []
        for (index, node) in nodes.enumerated() {
            let takesTrained = node.leaves.contains { isTrained[$0] }
            result.append(isLossAfter[index] && (takesTrained || node.inputs.contains { result[$0] }))
        }
        return result
    }

    /// The same program, of whose leaves those that `mask` selects have gradients; the others' are zero, and what only
    /// they need is not computed. Traps unless the mask is for the program's layout.
    ///
    /// **Guarantee:** the gradients of the selected leaves are the same in every bit.
    public func training(only mask: TreeMask) -> Program {
        require(
            mask.layout == layout, "A mask of layout\n\(mask.layout)\ndoes not fit a program of layout\n\(layout)")
        var program = self
        program.isTrained = mask.selection
        program.needsGradient = program.nodesThatNeedGradients
        return program
    }

    /// The number of outputs of an example.
    public var outputCount: Int { outputShape.reduce(1, *) }

    /// The numbers that one example takes up in a run with gradients: values, their gradients, and what is kept; its
    /// features and targets are elsewhere.
    public var numbersPerExample: Int {
        nodes.indices.reduce(0) { sum, index in
            let node = nodes[index]
            switch node.source {
            case .features, .target: return sum
            case .label, .positions, .operation:
                return sum + node.count * (needsGradient[index] ? 2 : 1) + node.savedCount
            }
        }
    }
}

/// The identity of a recording.
final class Recording: Sendable {}

/// An operation that draws random numbers in training, from ``ForwardPass/exampleKeys``.
public protocol RandomOperation: Operation {}
