/// The types of elements that are read: those of which every value is a Float32's.
enum SafeTensorsElement: String, CaseIterable {
    case float32 = "F32"
    /// IEEE 754 binary16: 5 bits of exponent, 10 of fraction.
    case float16 = "F16"
    /// The upper half of a binary32: 8 bits of exponent, 7 of fraction.
    case brainFloat16 = "BF16"

    /// The number of bytes.
    var size: Int { self == .float32 ? 4 : 2 }

    /// Converts elements, little-endian in `source`, without a rounding: zeros keep their sign, NaN its payload.
    func decode(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableBufferPointer<Float>) {
        func word<Word: FixedWidthInteger>(_ index: Int, _: Word.Type) -> Word {
            Word(littleEndian: source.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
        }
        switch self {
        case .float32: for index in target.indices { target[index] = Float(bitPattern: word(index, UInt32.self)) }
        case .float16: for index in target.indices { target[index] = Self.float(halfBits: word(index, UInt16.self)) }
        case .brainFloat16:
            for index in target.indices { target[index] = Float(bitPattern: UInt32(word(index, UInt16.self)) << 16) }
        }
    }

    /// The Float32 of the value that the bits of a binary16 stand for.
    ///
    /// Not by `Float16`, which macOS lacks on Intel processors.
    static func float(halfBits bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1f)
        let fraction = UInt32(bits & 0x3ff)
        switch exponent {
        case 0: return Float(bitPattern: sign | (Float(fraction) * 0x1p-24).bitPattern)
        case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 127 - 15) << 23 | fraction << 13)
        }
    }
}

extension SafeTensorsHeader.Tensor {
    /// The type of the elements; throws `unsupportedType` for one that is not read.
    func element() throws(SafeTensorsProblem) -> SafeTensorsElement {
        guard let element = SafeTensorsElement(rawValue: type) else { throw .unsupportedType(name: name, type: type) }
        return element
    }
}
