import PyTrees
import Requirements

extension WeightMapping: Codable {
    private enum CodingKeys: CodingKey, CaseIterable {
        case rules, allowMissing
    }

    /// Reads `rules`, and `allowMissing`: true, false, or a list of paths. Throws `DecodingError` for what is neither.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        rules = try box.decode([Rule].self, forKey: .rules)
        if let all = try? box.decode(Bool.self, forKey: .allowMissing) {
            allowMissing = all ? [.root] : []
        } else {
            allowMissing = try box.decodeIfPresent([TreePath].self, forKey: .allowMissing) ?? []
        }
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(rules, forKey: .rules)
        if allowMissing == [.root] {
            try box.encode(true, forKey: .allowMissing)
        } else if !allowMissing.isEmpty {
            try box.encode(allowMissing, forKey: .allowMissing)
        }
    }
}

extension WeightMapping.Rule: Codable {
    private enum CodingKeys: CodingKey, CaseIterable {
        case from, to, order, size, rows
    }

    private static let orders = ["same", "linear", "flattened", "convolution"]

    /// Reads `from`, `to`, `order`, `rows` as [begin, end], and of orders with an image `size` as [height, width].
    ///
    /// Throws `DecodingError`, which says what ``init(from:to:order:rows:)`` throws.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        func pair(_ key: CodingKeys) throws -> (Int, Int)? {
            guard let numbers = try box.decodeIfPresent([Int].self, forKey: key) else { return nil }
            guard numbers.count == 2 else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: box, debugDescription: "\(numbers) has \(numbers.count) numbers, but must have 2.")
            }
            return (numbers[0], numbers[1])
        }
        let name = try box.decodeChoice(among: Self.orders, forKey: .order, name: \.self)
        let order: Order
        switch (name, try pair(.size)) {
        case ("same", nil): order = .same
        case ("linear", nil): order = .linear
        case ("flattened", let size?): order = .flattened(height: size.0, width: size.1)
        case ("convolution", let size?): order = .convolution(height: size.0, width: size.1)
        case (_, nil):
            throw DecodingError.dataCorruptedError(
                forKey: .order, in: box,
                debugDescription: "The order '\(name)' needs 'size', the height and the width, such as [3, 3].")
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .size, in: box, debugDescription: "The order '\(name)' has no size: leave it out.")
        }
        let (from, to) = (try box.decode(String.self, forKey: .from), try box.decode(String.self, forKey: .to))
        let rows = try pair(.rows)
        do throws(WeightMappingProblem) {
            // There is no such range.
            if let rows, rows.0 > rows.1 { throw .invalidRows([rows.0, rows.1], from: from) }
            try self.init(from: from, to: to, order: order, rows: rows.map { $0.0..<$0.1 })
        } catch {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: error.description, underlyingError: error))
        }
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(from, forKey: .from)
        try box.encode(to, forKey: .to)
        try box.encode(order.name, forKey: .order)
        try box.encodeIfPresent(order.size, forKey: .size)
        try box.encodeIfPresent(rows.map { [$0.lowerBound, $0.upperBound] }, forKey: .rows)
    }
}
