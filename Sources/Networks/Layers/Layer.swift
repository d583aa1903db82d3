import Differentiation
import PyTrees
import Requirements

/// A part of a model: a tree of parameters that maps a value to another one.
///
///     struct Residual<Inner: Layer>: Layer {
///         var inner: Inner
///
///         func callAsFunction(_ input: Value) -> Value { input + inner(input) }
///
///         mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
///             try visitor.visit("inner", &inner)
///         }
///     }
public protocol Layer: PyTree, Sendable {
    /// What the layer makes of a value. Traps unless the value has a shape that the layer takes.
    func callAsFunction(_ input: Value) -> Value
}

/// What passes through the layers of an architecture: token ids at first, or values.
public enum Signal {
    /// Token ids.
    case tokens(Indices)
    /// Numbers.
    case values(Value)
}

/// A layer that an architecture can be made of.
public protocol StackLayer: PyTree, Sendable {
    /// What the layer makes of a signal. The stack is there for layers that use another one's parameters.
    func apply(to signal: Signal, in stack: LayerStack) -> Signal
}

extension StackLayer where Self: Layer {
    /// The layer's value of a value.
    public func apply(to signal: Signal, in stack: LayerStack) -> Signal { .values(self(signal.values)) }
}

extension Signal {
    /// The value. An architecture is checked when it is built, so that no tokens come where values are meant.
    var values: Value {
        guard case .values(let value) = self else { fail("A layer of numbers was given token ids: embed them first.") }
        return value
    }

    /// The token ids. An architecture is checked when it is built, so that no values come where tokens are meant.
    var tokens: Indices {
        guard case .tokens(let tokens) = self else { fail("An embedding was given numbers: begin with token ids.") }
        return tokens
    }
}

extension Value {
    /// An image as one vector; any other value as it is.
    var flattenedImage: Value { shape.count == 3 ? reshaped(count) : self }
}

/// The layers of an architecture, one after the other: a tree with a child for each that has parameters.
public struct LayerStack: PyTree, Sendable {
    /// The layers, with the names of those that have parameters: `dense1`.
    public internal(set) var layers: [(name: String?, layer: any StackLayer)] = []

    /// Visits the layers that have parameters.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        for index in layers.indices {
            guard let name = layers[index].name else { continue }
            try visitor.visitLayer(name, &layers[index].layer)
        }
    }

    /// What the layers make of a signal, one after the other.
    public func callAsFunction(_ signal: Signal) -> Value { apply(to: signal, in: self).values }

    /// The same for layers that are part of another stack, whose parameters they may use.
    func apply(to signal: Signal, in stack: LayerStack) -> Signal {
        layers.reduce(signal) { $1.layer.apply(to: $0, in: stack) }
    }
}

extension TreeVisitor {
    fileprivate mutating func visitLayer(_ name: String, _ layer: inout any StackLayer) throws(PyTreeError) {
        func visit<Child: StackLayer>(_ child: Child) throws(PyTreeError) -> any StackLayer {
            var child = child
            try self.visit(name, &child)
            return child
        }
        layer = try visit(layer)
    }
}
