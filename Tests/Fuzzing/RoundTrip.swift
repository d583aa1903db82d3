import Foundation

/// What `bytes` are read as. Traps unless it can be written and read again, and is the same then.
func roundTrip<Value: Codable & Equatable>(_: Value.Type, _ bytes: [UInt8]) throws -> Value {
    let value = try JSONDecoder().decode(Value.self, from: Data(bytes))
    checkRoundTrip(value)
    return value
}

/// Traps unless the value can be written and read again, and is the same then.
func checkRoundTrip<Value: Codable & Equatable>(_ value: Value) {
    do {
        let text = try JSONEncoder().encode(value)
        let again = try JSONDecoder().decode(Value.self, from: text)
        expect(again == value, "What was read is written as something else: \(String(decoding: text, as: UTF8.self))")
    } catch {
        fatalError("What was read cannot be written and read again: \(error)")
    }
}
