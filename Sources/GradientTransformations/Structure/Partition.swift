import PyTrees

/// Different transformations for different leaves.
///
///     let labels = try TreeLabels(["dense": ["kernel": "matrix", "bias": "vector"]], layout: parameters.layout)
///     let optimizer = try partition {
///         Masked(try adamw(learningRate: 1e-3), mask: try labels.mask("matrix"))
///         Masked(try sgd(learningRate: 0.1), mask: try labels.mask("vector"))
///     }
///
/// Throws `leafInTwoParts` or `leafInNoPart` unless every leaf belongs to exactly one part, and `layoutMismatch` if the
/// masks are for different layouts. Second moments of all parts that have one are found, if they are kept in one form;
/// leaves of the others have none. As optax's `partition`.
public func partition<Content: PartitionContent>(
    @PartitionBuilder _ content: () throws -> Content
) throws -> Content {
    let content = try content()
    try checkPartition(content.masks)
    return content
}

private func checkPartition(_ masks: [TreeMask]) throws(GradientTransformationError) {
    let layout = masks[0].layout
    for mask in masks { try mask.check(for: layout) }
    for (index, leaf) in layout.leaves.enumerated() {
        switch masks.count(where: { $0.selection[index] }) {
        case 0: throw .leafInNoPart(leaf.path)
        case 1: continue
        default: throw .leafInTwoParts(leaf.path)
        }
    }
}

/// What ``partition(_:)`` is made of: masked transformations, and chains of them.
public protocol PartitionContent: GradientTransformation {
    /// The leaves of each part.
    var masks: [TreeMask] { get }
}

extension Masked: PartitionContent {
    /// The leaves of this part.
    public var masks: [TreeMask] { [mask] }
}

extension Chain: PartitionContent where First: PartitionContent, Second: PartitionContent {
    /// The leaves of each part.
    public var masks: [TreeMask] { first.masks + second.masks }
}

/// Both parts have a second moment of one form, each for leaves of its own.
public enum SecondMomentInBoth<
    First: SecondMomentState & Codable & Sendable, Second: SecondMomentState & Codable & Sendable
>: SecondMomentPath where First.Form == Second.Form {
    /// That of both.
    public typealias Form = First.Form

    /// Calls `body` with the second moments of both.
    public static func read(_ first: First, _ second: Second, _ body: (ParameterVector) -> Void) {
        first.readSecondMoments(body)
        second.readSecondMoments(body)
    }

    /// Calls `body` with the second moments of both, to change them in place.
    public static func change(_ first: inout First, _ second: inout Second, _ body: (inout ParameterVector) -> Void) {
        first.changeSecondMoments(body)
        second.changeSecondMoments(body)
    }
}

/// Builds what ``partition(_:)`` returns, and finds its second moments.
@resultBuilder
public enum PartitionBuilder {
    /// The first part.
    public static func buildPartialBlock<Inner: GradientTransformation>(first: Masked<Inner>) -> Masked<Inner> {
        first
    }

    /// Parts without second moments.
    public static func buildPartialBlock<Parts: PartitionContent, Inner: GradientTransformation>(
        accumulated: Parts, next: Masked<Inner>
    ) -> PlainChain<Parts, Masked<Inner>> {
        PlainChain(accumulated, next)
    }

    /// A part without a second moment after parts with one.
    public static func buildPartialBlock<Parts: PartitionContent, Inner: GradientTransformation>(
        accumulated: Parts, next: Masked<Inner>
    ) -> LeadingMomentChain<Parts, Masked<Inner>> where Parts.State: SecondMomentState {
        LeadingMomentChain(accumulated, next)
    }

    /// A part with a second moment after parts without one.
    public static func buildPartialBlock<Parts: PartitionContent, Inner: GradientTransformation>(
        accumulated: Parts, next: Masked<Inner>
    ) -> TrailingMomentChain<Parts, Masked<Inner>> where Inner.State: SecondMomentState {
        TrailingMomentChain(accumulated, next)
    }

    /// Parts with second moments of one form.
    public static func buildPartialBlock<Parts: PartitionContent, Inner: GradientTransformation>(
        accumulated: Parts, next: Masked<Inner>
    ) -> Chain<Parts, Masked<Inner>, SecondMomentInBoth<Parts.State, MaskedState<Inner.State>>>
    where Parts.State: SecondMomentState, Inner.State: SecondMomentState, Parts.State.Form == Inner.State.Form {
        Chain(accumulated, next)
    }

    /// Parts with second moments of two forms, of which the compiler chooses neither.
    public static func buildPartialBlock<Parts: PartitionContent, Inner: GradientTransformation>(
        accumulated: Parts, next: Masked<Inner>
    ) -> PlainChain<Parts, Masked<Inner>> where Parts.State: SecondMomentState, Inner.State: SecondMomentState {
        PlainChain(accumulated, next)
    }
}
