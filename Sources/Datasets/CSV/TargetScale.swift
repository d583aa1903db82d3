/// Between a CSV file's numbers to predict and the encoded targets, which are in [0, 1].
public struct TargetScale: Equatable, Sendable {
    /// The name of the column.
    public let column: String
    /// What is encoded as 0, and everything below it.
    public let lower: Double
    /// What is encoded as 1, and everything above it.
    public let upper: Double

    /// One unit of encoded targets in the file's units: upper − lower.
    public var width: Double { upper - lower }

    /// What an encoded target, or a model's output, is in the file's units: lower + (upper − lower) · `encoded`.
    /// Outputs outside [0, 1] lead outside the bounds.
    public func value(ofEncoded encoded: Float) -> Double { lower + width * Double(encoded) }
}
