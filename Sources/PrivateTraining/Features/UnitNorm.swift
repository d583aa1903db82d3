import LinearAlgebra

/// Every example divided by its own L2 norm; zeros stay zeros.
public struct UnitNorm: FeatureMap {
    /// The map.
    public init() {}

    /// As many as there are inputs.
    public func featureCount(for inputCount: Int) -> Int { inputCount }

    /// x / ‖x‖₂ for each row, the norm accumulated in Float64.
    public func features(of inputs: Matrix) -> Matrix {
        var result = inputs
        for row in 0..<result.rows {
            result.withMutableRow(row) { values in
                var square = 0.0
                for index in values.indices { square += Double(values[index]) * Double(values[index]) }
                guard square > 0 else { return }
                let factor = 1 / square.squareRoot()
                for index in values.indices { values[index] = Float(Double(values[index]) * factor) }
            }
        }
        return result
    }
}
