/// Decimal numbers in ASCII.
enum DecimalNumber {
    /// The finite number that the bytes spell, rounded to the nearest; nil if they spell none.
    ///
    /// The form: an optional sign, digits with or without a full stop among, before or after them, an optional
    /// exponent.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        var position = 0
        var isNegative = false
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            position = 1
        }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        var hasPoint = false
        // Leading zeros included, 19 digits fit; beyond, the slow path decides.
        var isExact = true
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            if digit < 10 {
                digits += 1
                if digits <= 19 { mantissa = mantissa &* 10 &+ UInt64(digit) } else { isExact = false }
                if hasPoint { exponent -= 1 }
            } else if text[position] == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            position += 1
        }
        guard digits > 0 else { return nil }
        if position < text.count {
            guard let written = parseExponent(UnsafeBufferPointer(rebasing: text[position...])) else { return nil }
            exponent += written
        }
        // Both factors are exact and the quotient or product is rounded once (Clinger, 1990).
        if isExact, mantissa <= 1 << 53, abs(exponent) < powersOfTen.count {
            let power = powersOfTen[abs(exponent)]
            let value = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
            return isNegative ? -value : value
        }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    /// The exponent after an "e"; its size is cut off at a million, beyond which all numbers are 0 or infinite.
    private static func parseExponent(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        guard text[0] | 0x20 == UInt8(ascii: "e") else { return nil }
        var position = 1
        var isNegative = false
        if text.count > 1, text[1] == UInt8(ascii: "-") || text[1] == UInt8(ascii: "+") {
            isNegative = text[1] == UInt8(ascii: "-")
            position = 2
        }
        guard position < text.count else { return nil }
        var exponent = 0
        for byte in text[position...] {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            exponent = min(exponent * 10 + Int(digit), 1_000_000)
        }
        return isNegative ? -exponent : exponent
    }

    private static let powersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20,
        1e21, 1e22,
    ]
}
