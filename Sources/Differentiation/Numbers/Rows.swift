import Requirements

/// Rows of numbers that follow each other without gaps.
public struct Rows: Hashable, Sendable {
    /// The number of rows.
    public let rows: Int
    /// The numbers in each.
    public let count: Int

    /// `rows` rows of `count` numbers.
    public init(_ rows: Int, of count: Int) { (self.rows, self.count) = (rows, count) }
}

/// What a row is normalised by: x̂ = (x − mean) / √(variance + ε), or x̂ = x / √(mean of x² + ε).
public struct RowNormalization: Hashable, Sendable {
    /// Whether the mean is subtracted.
    public let centers: Bool
    /// ε, above 0: what keeps a row of equal numbers from a division by 0.
    public let epsilon: Float

    /// Traps unless ε is above 0.
    public init(centers: Bool, epsilon: Float) {
        require(epsilon > 0, "A normalisation divides by √(variance + ε), and ε is \(epsilon): it has to be above 0.")
        (self.centers, self.epsilon) = (centers, epsilon)
    }
}
