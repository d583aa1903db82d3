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
    /// How many elements were not compared, for a loss near them is infinite or not a number.
    public let nonFiniteCount: Int
    /// The leaves of which no element was compared.
    public let uncomparedLeaves: [TreePath]
    /// The element that is furthest beyond its tolerance, or nearest to it; nil if nothing was compared.
    public let worst: Element?
    /// The leaves with elements beyond their tolerance.
    public let wrongLeaves: [TreePath]

    /// Whether all elements are within their tolerance, and some of each leaf were compared.
    public var passes: Bool { wrongLeaves.isEmpty && uncomparedLeaves.isEmpty && comparedCount > 0 }

    init(_ elements: [Element], kinkCount: Int, nonFiniteCount: Int, layout: TreeLayout) {
        comparedCount = elements.count
        self.kinkCount = kinkCount
        self.nonFiniteCount = nonFiniteCount
        let compared = Set(elements.map(\.path))
        uncomparedLeaves = layout.leaves.filter { !$0.range.isEmpty && !compared.contains($0.path) }.map(\.path)
        worst = elements.max { $0.rank < $1.rank }
        let wrong = Set(elements.filter { !$0.passes }.map(\.path))
        wrongLeaves = layout.leaves.map(\.path).filter(wrong.contains)
    }
}

extension GradientCheck: CustomStringConvertible {
    /// Whether it passes, and the worst element with both values.
    public var description: String {
        let left = "\(kinkCount) lie at kinks, and near \(nonFiniteCount) the loss is not finite"
        guard let worst else { return "nothing was compared: of the elements \(left)" }
        func names(_ leaves: [TreePath]) -> String { leaves.map(\.description).joined(separator: ", ") }
        let faults =
            (wrongLeaves.isEmpty ? [] : ["wrong in \(names(wrongLeaves))"])
            + (uncomparedLeaves.isEmpty ? [] : ["nothing was compared in \(names(uncomparedLeaves))"])
        let verdict = faults.isEmpty ? "right" : faults.joined(separator: "; ")
        return "\(verdict): \(worst.path)[\(worst.index)] of example \(worst.example) is \(worst.gradient), and "
            + "differences of the loss say \(worst.difference) ± \(worst.tolerance) (the worst of \(comparedCount) "
            + "elements; \(left))"
    }
}
