import PyTrees

extension ParameterVector {
    /// Throws `invalidScale` if an element is not a positive, finite number. O(elements).
    func requirePositiveAndFinite() throws(PrivacyMechanismError) {
        let invalid = withUnsafeValues { Self.firstInvalid($0) }
        if let (index, value) = invalid {
            let leaf = layout.leaves.first { $0.range.contains(index) }!
            throw .invalidScale(value, path: leaf.path, index: index - leaf.range.lowerBound)
        }
    }

    /// The first element that is not positive and finite.
    ///
    /// The scan runs each step, so it goes without branches: the bit patterns of positive, finite numbers are those
    /// from 1 to that of the largest, and a difference that leaves this range has its sign bit set.
    private static func firstInvalid(_ values: UnsafeBufferPointer<Float>) -> (index: Int, value: Float)? {
        let largest = Float.greatestFiniteMagnitude.bitPattern
        var outside = SIMD8<UInt32>.zero
        let whole = values.count / 8 * 8
        for index in stride(from: 0, to: whole, by: 8) {
            let bits = UnsafeRawPointer(values.baseAddress! + index).loadUnaligned(as: SIMD8<UInt32>.self)
            outside |= (bits &- SIMD8(repeating: 1)) | (SIMD8(repeating: largest) &- bits)
        }
        let isValid = { (value: Float) in value > 0 && value < .infinity }
        let anyOutside = (0..<8).contains { outside[$0] >> 31 == 1 }
        if !anyOutside, values[whole...].allSatisfy(isValid) { return nil }
        return values.firstIndex { !isValid($0) }.map { ($0, values[$0]) }
    }
}
