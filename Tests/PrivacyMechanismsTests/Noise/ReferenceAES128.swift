/// AES-128 (FIPS 197) written for clarity, to check a fast one against: whole blocks, no care for timing.
struct ReferenceAES128 {
    private let roundKeys: [[UInt8]]

    /// The substitution of FIPS 197, 5.1.1: the inverse in GF(2⁸), then an affine map.
    private static let substitution: [UInt8] = (0...255).map { (byte: UInt8) in
        let inverse = (1...255).first { multiply(byte, $0) == 1 } ?? 0
        return (0...4).reduce(0x63) { $0 ^ (inverse << $1 | inverse >> (8 - $1)) }
    }

    /// Multiplication in GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1.
    private static func multiply(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (product, power) = (UInt8(0), left)
        for bit in 0..<8 {
            if right >> bit & 1 == 1 { product ^= power }
            power = power << 1 ^ (power >> 7 == 1 ? 0x1b : 0)
        }
        return product
    }

    init(key: [UInt8]) {
        var words = stride(from: 0, to: 16, by: 4).map { Array(key[$0..<$0 + 4]) }
        var constant: UInt8 = 1
        for index in 4..<44 {
            var word = words[index - 1]
            if index % 4 == 0 {
                word = [word[1], word[2], word[3], word[0]].map { Self.substitution[Int($0)] }
                word[0] ^= constant
                constant = Self.multiply(constant, 2)
            }
            words.append(zip(words[index - 4], word).map { $0 ^ $1 })
        }
        roundKeys = (0...10).map { Array(words[4 * $0..<4 * $0 + 4].joined()) }
    }

    func encrypt(_ block: [UInt8]) -> [UInt8] {
        var state = zip(block, roundKeys[0]).map { $0 ^ $1 }
        for round in 1...10 {
            // The substitution of bytes and the shift of rows in one step; columns lie one after the other.
            state = (0..<16).map { Self.substitution[Int(state[($0 + 4 * ($0 % 4)) % 16])] }
            if round < 10 {
                state = (0..<16).map { index in
                    func neighbour(_ step: Int) -> UInt8 { state[index / 4 * 4 + (index + step) % 4] }
                    return Self.multiply(neighbour(0), 2) ^ Self.multiply(neighbour(1), 3) ^ neighbour(2) ^ neighbour(3)
                }
            }
            state = zip(state, roundKeys[round]).map { $0 ^ $1 }
        }
        return state
    }

    /// The keystream of counter mode: block i encrypts i as a big-endian number of 128 bits.
    func keystream(blocks: Range<UInt64>) -> [UInt8] {
        blocks.flatMap { index in
            encrypt([UInt8](repeating: 0, count: 8) + (0..<8).map { UInt8(truncatingIfNeeded: index >> (56 - 8 * $0)) })
        }
    }
}

extension [UInt8] {
    /// The bytes that an even number of hexadecimal digits spell.
    init(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        self = stride(from: 0, to: digits.count, by: 2).map { (place: Int) -> UInt8 in
            let byte: Int = digits[place] << 4 | digits[place + 1]
            return UInt8(byte)
        }
    }
}
