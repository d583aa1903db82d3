/// A number in a file. JSON has no infinity, so that it is written as the text "inf", wherever it can occur.
package struct ExtendedNumber: Codable, Hashable, Sendable {
    package let value: Double

    package init(_ value: Double) { self.value = value }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard text == "inf" else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "A number is written as such or as \"inf\", not as \"\(text)\".")
            }
            value = .infinity
        } else {
            value = try container.decode(Double.self)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value == .infinity { try container.encode("inf") } else { try container.encode(value) }
    }
}
