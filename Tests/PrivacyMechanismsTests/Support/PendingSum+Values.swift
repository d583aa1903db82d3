import LinearAlgebra

@testable import PrivacyMechanisms

extension PendingSum {
    /// The sum itself, where it is taken in floating point.
    var values: AlignedStorage<Double> {
        guard case .floatingPoint(let values) = self else { fatalError("The sum is an exact one.") }
        return values
    }
}
