import PyTrees

/// What a comparison of per-example gradients with differences of losses came to.
///
///     let check = model.checkGradients(of: examples, at: parameters)
///     print(check)    // wrong in bias: bias[0] of example 3 is 0.0, and differences of the loss say 1.25 ± 0.00098 …
public struct GradientCheck: Sendable {
    /// One element of one example's gradient, and what differences of the loss say.
    public struct Element: Hashable, Sendable {
        /// The example's row among those that were checked.
        public let example: Int
        /// The leaf.
        public let path: TreePath
        /// The element's place in the leaf, in row-major order.
        public let index: Int
        /// What the model says.
        public let gradient: Double
        /// What differences of the loss say.
        public let difference: Double
        /// How far from the gradient the difference may be.
        public let tolerance: Double

        /// |gradient − difference| / tolerance: above 1, or not a number, where the gradient is wrong.
        public var excess: Double { abs(gradient - difference) / tolerance }

        /// Not a number comes last.
        fileprivate var rank: Double { excess.isNaN ? .infinity : excess }

        /// Whether the gradient is within the tolerance; false where it is not a number.
        public var passes: Bool { excess <= 1 }
    }

    /// How many elements were compared.
    public let comparedCount: Int
    /// How many elements were passed over, for the loss has a kink there.
    public let kinkCount: Int
    /// The element that is furthest beyond its tolerance, or nearest to it; nil if nothing was compared.
    public let worst: Element?
    /// The leaves with elements beyond their tolerance.
    public let wrongLeaves: [TreePath]

    /// Whether all elements are within their tolerance, and some were compared.
    public var passes: Bool { wrongLeaves.isEmpty && comparedCount > 0 }

    init(_ elements: [Element], kinkCount: Int, layout: TreeLayout) {
        comparedCount = elements.count
        self.kinkCount = kinkCount
        worst = elements.max { $0.rank < $1.rank }
        let wrong = Set(elements.filter { !$0.passes }.map(\.path))
        wrongLeaves = layout.leaves.map(\.path).filter(wrong.contains)
    }
}

extension GradientCheck: CustomStringConvertible {
    /// Whether it passes, and the worst element with both values.
    public var description: String {
        guard let worst else { return "nothing was compared; \(kinkCount) elements lie at kinks" }
        let names = wrongLeaves.map(\.description).joined(separator: ", ")
        let verdict = wrongLeaves.isEmpty ? "right" : "wrong in \(names)"
        return "\(verdict): \(worst.path)[\(worst.index)] of example \(worst.example) is \(worst.gradient), and "
            + "differences of the loss say \(worst.difference) ± \(worst.tolerance) (the worst of \(comparedCount) "
            + "elements; \(kinkCount) lie at kinks)"
    }
}
