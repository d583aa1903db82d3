/// Chains links, in the order in which they transform gradients.
///
///     let optimizer = try chain {
///         try ClipByGlobalNorm(1)
///         try ScaleByAdam()
///         try ScaleByLearningRate(1e-3)
///     }
///
/// The type of the result says which link holds its second moment. If two links have one, neither is chosen.
public func chain<Content: GradientTransformation>(
    @ChainBuilder _ content: () throws -> Content
) rethrows -> Content {
    try content()
}

/// Builds a ``Chain`` and finds its second moment.
@resultBuilder
public enum ChainBuilder {
    /// The first link.
    public static func buildPartialBlock<Link: GradientTransformation>(first: Link) -> Link { first }

    /// A link after links, none with a second moment.
    public static func buildPartialBlock<Links: GradientTransformation, Link: GradientTransformation>(
        accumulated: Links, next: Link
    ) -> PlainChain<Links, Link> {
        PlainChain(accumulated, next)
    }

    /// A link without a second moment after links with one.
    public static func buildPartialBlock<Links: GradientTransformation, Link: GradientTransformation>(
        accumulated: Links, next: Link
    ) -> LeadingMomentChain<Links, Link> where Links.State: SecondMomentState {
        LeadingMomentChain(accumulated, next)
    }

    /// A link with a second moment after links without one.
    public static func buildPartialBlock<Links: GradientTransformation, Link: GradientTransformation>(
        accumulated: Links, next: Link
    ) -> TrailingMomentChain<Links, Link> where Link.State: SecondMomentState {
        TrailingMomentChain(accumulated, next)
    }

    /// Two second moments, of which the compiler chooses neither.
    public static func buildPartialBlock<Links: GradientTransformation, Link: GradientTransformation>(
        accumulated: Links, next: Link
    ) -> PlainChain<Links, Link> where Links.State: SecondMomentState, Link.State: SecondMomentState {
        PlainChain(accumulated, next)
    }
}
