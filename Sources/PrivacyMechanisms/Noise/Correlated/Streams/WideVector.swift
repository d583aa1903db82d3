import LinearAlgebra
import PyTrees

/// Float64 numbers in a checkpoint, whose vectors are Float32: each is the sum of three.
///
/// Exact for numbers of magnitude 2⁻⁷⁰ to 2¹²⁷, and 0: the first part holds 24 bits, the second the next 24 of what is
/// left, the third the rest.
struct WideVector: Codable, Sendable {
    private var parts: [ParameterVector]

    init(_ values: AlignedStorage<Double>, layout: TreeLayout) {
        var parts = (0..<3).map { _ in ParameterVector(zeros: layout) }
        var rest = Array(values.buffer)
        for part in parts.indices {
            parts[part].withUnsafeMutableValues { out in
                for index in out.indices {
                    out[index] = Float(rest[index])
                    rest[index] -= Double(out[index])
                }
            }
        }
        self.parts = parts
    }

    /// Takes the numbers of each rank's share of the columns.
    mutating func gather(from ranks: Ranks) {
        for index in parts.indices { parts[index].gather(from: ranks) }
    }

    /// The layout of its numbers.
    var layout: TreeLayout { parts[0].layout }

    /// The numbers.
    var values: AlignedStorage<Double> {
        let values = AlignedStorage<Double>(zeros: layout.count)
        // The small ones first: their sum is exact, and so is the whole.
        for part in parts.reversed() {
            for (index, value) in part.values.enumerated() { values.base[index] += Double(value) }
        }
        return values
    }

    init(from decoder: any Decoder) throws {
        var box = try decoder.unkeyedContainer()
        var parts: [ParameterVector] = []
        while !box.isAtEnd { parts.append(try box.decode(ParameterVector.self)) }
        guard parts.count == 3, parts.allSatisfy({ $0.layout == parts[0].layout }) else {
            throw DecodingError.dataCorruptedError(
                in: box, debugDescription: "A vector in Float64 has three parts of one layout.")
        }
        self.parts = parts
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.unkeyedContainer()
        for part in parts { try box.encode(part) }
    }
}
