extension CanaryScores {
    /// Two parts: each score goes to one of them by a fair coin of its own.
    ///
    /// **Guarantee:** the coins do not depend on scores or on inclusion, so that canaries of the second part are still
    /// included by independent fair coins, whatever was chosen on the first.
    /// - Throws: ``AuditingError/noScores(name:)`` if a part has no scores of one kind.
    func split(
        using generator: inout some RandomNumberGenerator
    ) throws(AuditingError) -> (choice: CanaryScores, bound: CanaryScores) {
        var parts = (choice: ([Double](), [Double]()), bound: ([Double](), [Double]()))
        for score in included {
            if Bool.random(using: &generator) { parts.choice.0.append(score) } else { parts.bound.0.append(score) }
        }
        for score in excluded {
            if Bool.random(using: &generator) { parts.choice.1.append(score) } else { parts.bound.1.append(score) }
        }
        return (
            try CanaryScores(included: parts.choice.0, excluded: parts.choice.1),
            try CanaryScores(included: parts.bound.0, excluded: parts.bound.1)
        )
    }
}
