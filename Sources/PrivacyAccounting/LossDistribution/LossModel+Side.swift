extension LossModel {
    /// Which side of the truth a model must lie on. Models differ only where no exact dominating pair is known.
    enum Side {
        case upper, lower
    }
}

/// Arithmetic on results that must lie on one side of the exact one, for operands that are at least 0.
extension LossModel.Side {
    /// `count`, which is rounded on conversion where it is above 2⁵³.
    func double(_ count: Int) -> Double {
        directed(Double(count), remainder: count < 1 << 53 ? 0 : self == .lower ? -1 : 1)
    }

    /// a/b.
    func quotient(_ a: Double, by b: Double) -> Double {
        let quotient = a / b
        return directed(quotient, remainder: a.addingProduct(-quotient, b))
    }

    /// a + b.
    func sum(_ a: Double, _ b: Double) -> Double {
        let total = a + b
        let other = total - a
        return directed(total, remainder: (a - (total - other)) + (b - other))
    }

    /// The neighbour of a result that was rounded to the unsafe side; `remainder` is the exact result less that one.
    private func directed(_ result: Double, remainder: Double) -> Double {
        switch self {
        case .lower: remainder < 0 ? result.nextDown : result
        case .upper: remainder > 0 ? result.nextUp : result
        }
    }
}
