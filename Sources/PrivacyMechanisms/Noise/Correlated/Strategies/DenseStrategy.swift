import LinearAlgebra

/// Any lower-triangular C. It has n rows and no more: a run of more steps needs another one.
///
/// To make the noise of step t, all earlier ones are needed: x_t = (z_t − Σ_{j<t} C[t][j] x_j)/C[t][t].
public struct DenseStrategy: NoiseStrategy {
    package static let kind = "dense"

    /// n² numbers have to fit into memory, several times.
    static let orders = 1...4096

    /// The rows up to the diagonal: row t has t + 1 numbers.
    public let rows: [[Double]]
    /// The least b for which C[i][j] = 0 wherever i − j ≥ b.
    public let bands: Int

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless there are 1…4096 rows, of which row
    /// t has t + 1 numbers, none beyond ±1e100 and the last at least 1e-100.
    public init(rows: [[Double]]) throws(PrivacyMechanismError) {
        _ = try StrategyCheck.count(rows.count, "The number of rows", in: Self.orders)
        var bands = 1
        for (index, row) in rows.enumerated() {
            _ = try StrategyCheck.count(row.count, "The length of rows[\(index)]", in: index + 1...index + 1)
            for (column, value) in row.enumerated() where !(abs(value) <= StrategyCheck.largest) {
                throw .invalidStrategy(
                    name: "rows[\(index)][\(column)]", value: "\(value)", allowed: "in -1e100...1e100")
            }
            guard row[index] >= 1 / StrategyCheck.largest else {
                throw .invalidStrategy(
                    name: "rows[\(index)][\(index)], on the diagonal,", value: "\(row[index])",
                    allowed: "in 1e-100...1e100")
            }
            bands = max(bands, index + 1 - row.firstIndex { $0 != 0 }!)
        }
        (self.rows, self.bands) = (rows, bands)
    }

    /// n.
    public var steps: Int { rows.count }

    package var matrix: [[Double]] {
        rows.map { $0 + [Double](repeating: 0, count: steps - $0.count) }
    }

    /// The leading t × t block.
    func block(_ t: Int) -> SquareMatrix {
        var block = SquareMatrix(order: t)
        for (index, row) in rows.prefix(t).enumerated() {
            for (column, value) in row.enumerated() { block[index, column] = value }
        }
        return block
    }

    /// O(n³).
    package func squaredErrors(on workload: StrategyWorkload) -> SquaredErrors {
        var product = SquareMatrix(order: steps)
        let coefficients = workload.coefficients(steps)
        for row in 0..<steps {
            for column in 0...row { product[row, column] = coefficients[row - column] }
        }
        product.divideFromRight(byLower: block(steps))
        let squares = (0..<steps).map { row in (0...row).reduce(0) { $0 + product[row, $1] * product[row, $1] } }
        return SquaredErrors(mean: squares.reduce(0, +) / Double(steps), max: squares.max()!)
    }
}

extension DenseStrategy: Codable {
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case rows
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        try self.init(rows: decoder.container(keyedBy: CodingKeys.self).decode([[Double]].self, forKey: .rows))
    }

    /// Writes the rows; the bands follow from them.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(rows, forKey: .rows)
    }
}

extension CorrelationStrategy {
    /// `"dense"`.
    public static func dense(_ strategy: DenseStrategy) -> CorrelationStrategy { CorrelationStrategy(strategy) }
}
