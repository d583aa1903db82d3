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

/// Whether all numbers of a JSON text are 0 or between 1/limit and `limit`: what is described is made, or computed, and
/// a large thing may take its time and place.
func isModest(_ bytes: [UInt8], limit: Double) -> Bool {
    func isModest(_ value: Any) -> Bool {
        switch value {
        case let list as [Any]: list.allSatisfy(isModest)
        case let object as [String: Any]: object.values.allSatisfy(isModest)
        case let number as NSNumber:
            number.doubleValue == 0 || (1 / limit...limit).contains(abs(number.doubleValue))
        default: true
        }
    }
    return (try? JSONSerialization.jsonObject(with: Data(bytes))).map(isModest) ?? false
}
