import PyTrees
import Requirements
import Synchronization

/// One entry of a tape: where the numbers of a value come from.
struct Node: Sendable {
    enum Source: Sendable {
        /// An example's features.
        case features
        /// An example's class, as a whole number.
        case label
        /// The numbers that an example should be mapped to.
        case target
        /// One for each position that an example has, zero for padding.
        case positions
        /// What an operation makes of other nodes.
        case operation(any Operation)
    }

    let source: Source
    /// Other entries, before this one.
    let inputs: [Int]
    let parameters: [ParameterPlace]
    /// The shapes of the inputs as the operation takes them.
    let inputShapes: [[Int]]
    let parameterShapes: [[Int]]
    let shape: [Int]

    var count: Int { shape.reduce(1, *) }
    /// The leaves among the parameters.
    var leaves: [Int] { parameters.compactMap { if case .leaf(let leaf) = $0 { leaf } else { nil } } }
    var operation: (any Operation)? { if case .operation(let operation) = source { operation } else { nil } }
    var savedCount: Int { operation?.savedCount(inputs: inputShapes, parameters: parameterShapes) ?? 0 }
}

/// What a parameter of an operation is.
enum ParameterPlace: Sendable, Hashable {
    /// A leaf of the layout.
    case leaf(Int)
    /// A tensor that is not part of the parameters: it has no gradient.
    case constant(Int)
}

/// The tape while a model's function is recorded.
///
/// What names a node outside of it, its ticket, belongs to one recording: that of another one traps.
final class Recorder {
    let layout: TreeLayout
    private(set) var nodes: [Node] = []
    private(set) var constants: [Tensor] = []
    private let firstTicket: Int

    private static let recordings = Atomic<Int>(0)

    init(layout: TreeLayout) {
        self.layout = layout
        firstTicket = Self.recordings.add(1, ordering: .relaxed).newValue << 32
    }

    /// The place of a node on the tape. Traps for the ticket of another recording.
    func place(of ticket: Int) -> Int {
        let place = ticket - firstTicket
        require(
            nodes.indices.contains(place),
            "A value of another recording was used: a model's function may compute with its own arguments alone.")
        return place
    }

    /// The mask, where it says of each of the first dimension's positions whether it is there; nil elsewhere.
    func mask(_ mask: Int?, for shape: [Int]) -> Int? {
        mask.flatMap { nodes[place(of: $0)].count == shape.first ? $0 : nil }
    }

    /// The node of an example's data, recorded once.
    func node(_ source: Node.Source, shape: [Int]) -> Int {
        let found = nodes.firstIndex { node in
            switch (node.source, source) {
            case (.features, .features), (.label, .label), (.target, .target): true
            case (.positions, .positions): node.shape == shape
            default: false
            }
        }
        if let found { return firstTicket + found }
        nodes.append(
            Node(source: source, inputs: [], parameters: [], inputShapes: [], parameterShapes: [], shape: shape))
        return firstTicket + nodes.count - 1
    }

    func append(
        _ operation: some Operation, inputs: [(node: Int, shape: [Int])], parameters: [Tensor]
    ) -> (node: Int, shape: [Int]) {
        let places = inputs.map { place(of: $0.node) }
        let inputShapes = inputs.map(\.shape)
        for (place, shape) in zip(places, inputShapes) {
            require(
                nodes[place].count == shape.reduce(1, *),
                "A value of shape \(nodes[place].shape) was taken for one of shape \(shape).")
        }
        let parameterShapes = parameters.map(\.shape)
        let shape = operation.outputShape(inputs: inputShapes, parameters: parameterShapes)
        nodes.append(
            Node(
                source: .operation(operation), inputs: places, parameters: parameters.map(place),
                inputShapes: inputShapes, parameterShapes: parameterShapes, shape: shape))
        return (firstTicket + nodes.count - 1, shape)
    }

    private func place(_ parameter: Tensor) -> ParameterPlace {
        if let leaf = parameter.leafIndex {
            require(
                layout.leaves.indices.contains(leaf) && layout.leaves[leaf].shape == parameter.shape,
                "A parameter of another recording was used: a model's function may compute with its own arguments "
                    + "alone.")
            return .leaf(leaf)
        }
        constants.append(parameter)
        return .constant(constants.count - 1)
    }
}
