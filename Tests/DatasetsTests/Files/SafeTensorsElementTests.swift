import PyTrees
import Testing

@testable import Datasets

/// F16 and BF16 become the Float32 of the same value, every one of them.
@Suite struct SafeTensorsElementTests {
    /// The value of the bits by the definition of a format of `exponentBits` and `fractionBits`, in Float64.
    private static func value(_ bits: Int, exponentBits: Int, fractionBits: Int) -> Double {
        let sign: Double = bits >> (exponentBits + fractionBits) == 0 ? 1 : -1
        let largest = 1 << exponentBits - 1
        let exponent = bits >> fractionBits & largest
        let fraction = Double(bits & (1 << fractionBits - 1)) / Double(1 << fractionBits)
        let bias = largest / 2
        switch exponent {
        case 0: return sign * Double(sign: .plus, exponent: 1 - bias, significand: fraction)
        case largest: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Double(sign: .plus, exponent: exponent - bias, significand: 1 + fraction)
        }
    }

    /// How many of all 65,536 bits `convert` takes to another value, or to a zero of the other sign.
    private static func differences(
        exponentBits: Int, fractionBits: Int, _ convert: (UInt16) -> Float
    ) -> Int {
        (0...Int(UInt16.max)).count { bits in
            let value = value(bits, exponentBits: exponentBits, fractionBits: fractionBits)
            let converted = Double(convert(UInt16(bits)))
            return value.isNaN ? !converted.isNaN : converted.bitPattern != value.bitPattern
        }
    }

    private static func decoded(_ bits: UInt16, _ element: SafeTensorsElement) -> Float {
        var result: Float = 0
        withUnsafeBytes(of: bits.littleEndian) { source in
            withUnsafeMutablePointer(to: &result) {
                element.decode(source, to: UnsafeMutableBufferPointer(start: $0, count: 1))
            }
        }
        return result
    }

    @Test func everyHalfIsItsValue() {
        #expect(Self.differences(exponentBits: 5, fractionBits: 10) { Self.decoded($0, .float16) } == 0)
        // Control: without subnormal numbers, 2 · 1,023 values and no zero are wrong.
        let broken = Self.differences(exponentBits: 5, fractionBits: 10) { bits in
            bits & 0x7c00 == 0 ? Float(bitPattern: UInt32(bits & 0x8000) << 16) : Self.decoded(bits, .float16)
        }
        #expect(broken == 2 * 1023)
    }

    @Test func everyBrainFloatIsItsValue() {
        #expect(Self.differences(exponentBits: 8, fractionBits: 7) { Self.decoded($0, .brainFloat16) } == 0)
        #expect(Self.differences(exponentBits: 8, fractionBits: 7) { Self.decoded($0, .float16) } > 60_000)
    }

    /// A payload is kept, and a signalling NaN stays one.
    @Test func payloadsOfNaNAreKept() {
        #expect(Self.decoded(0x7e01, .float16).bitPattern == 0x7fc0_2000)
        #expect(SafeTensorsElement.float(halfBits: 0xfc01).bitPattern == 0xff80_2000)
        #expect(Self.decoded(0x7fc1, .brainFloat16).bitPattern == 0x7fc1_0000)
    }

    /// A file by hand: three tensors of three types, and 1, −2, ∞, NaN, and the smallest subnormal numbers.
    @Test func aFileOfSeveralTypesIsRead() throws {
        let folder = try TemporaryFolder()
        let header = """
            {"a":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},\
            "b":{"dtype":"BF16","shape":[5],"data_offsets":[10,20]},\
            "c":{"dtype":"F32","shape":[1],"data_offsets":[20,24]}}
            """
        let data: [UInt8] = [
            0x00, 0x3c, 0x00, 0xc0, 0x00, 0x7c, 0x00, 0x7e, 0x01, 0x80,
            0x80, 0x3f, 0x00, 0xc0, 0x80, 0x7f, 0xc0, 0x7f, 0x01, 0x00,
            0x00, 0x00, 0x40, 0x3f,
        ]
        let path = try folder.write([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + header.utf8 + data, "f")
        let contents = try SafeTensors.read(path).parameters
        #expect(
            contents.values.map(\.bitPattern) == [
                0x3f80_0000, 0xc000_0000, 0x7f80_0000, 0x7fc0_0000, 0xb380_0000,
                0x3f80_0000, 0xc000_0000, 0x7f80_0000, 0x7fc0_0000, 0x0001_0000, 0x3f40_0000,
            ])
        #expect(try SafeTensors.readTensors(path)["b"]?.values[1] == -2)
        #expect(try SafeTensors.read(path, as: contents.layout).parameters.values[10] == 0.75)
    }

    /// What is longer than a chunk, and ends within one, has no seams.
    @Test func longTensorsHaveNoSeams() throws {
        let folder = try TemporaryFolder()
        let count = 300_001
        let header = #"{"a":{"dtype":"BF16","shape":[300001],"data_offsets":[0,600002]}}"#
        var bytes = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
        for index in 0..<count {
            let bits = UInt16(truncatingIfNeeded: index &* 40_503) & 0xbfff
            bytes += [UInt8(bits & 0xff), UInt8(bits >> 8)]
        }
        let values = try SafeTensors.read(folder.write(bytes, "f")).parameters.values
        #expect(values.count == count)
        #expect(
            values.indices.allSatisfy {
                values[$0].bitPattern == UInt32(UInt16(truncatingIfNeeded: $0 &* 40_503) & 0xbfff) << 16
            })
    }
}
