import PyTrees

/// An elementwise transformation: an element's update depends on that element of gradient, state and parameters only.
///
/// Adjacent elementwise links of a chain are evaluated block by block: each block of updates passes through all of them
/// while it lies in the first-level cache, so that the chain is one trip through memory.
public protocol ElementwiseTransformation: GradientTransformation {
    /// What one step does to a block of updates.
    associatedtype Operation: UpdateOperation

    /// Prepares one step, and calls `body` exactly once with what it does to each block.
    ///
    /// What happens once per step belongs here: counting it, bias corrections, schedules. Pointers into the state need
    /// to be valid during `body` only. Traps unless the state's vectors have `layout`.
    func withOperation(state: inout State, layout: TreeLayout, _ body: (Operation) -> Void)
}

extension ElementwiseTransformation {
    /// True.
    public static var isElementwise: Bool { true }

    /// Applies the operation to all blocks.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Appends the operation.
    public func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        withOperation(state: &state, layout: pass.layout) { operation in
            pass.append(operation)
            next(&pass)
        }
    }
}

/// What a link does to a block of updates in one step. Several threads call it at once, for different blocks.
public protocol UpdateOperation {
    /// Changes the updates of `block` in place.
    func apply(to block: UpdateBlock)
}

/// A stretch of updates in the first-level cache, and the parameters that belong to it.
public struct UpdateBlock {
    /// The updates to change.
    public let updates: UnsafeMutablePointer<Float>

    /// The parameters before the step.
    public let parameters: UnsafePointer<Float>

    /// Where the block begins in the flat vectors of the link's state.
    public let offset: Int

    /// The number of elements.
    public let count: Int
}
