import PyTrees

/// SplitMix64: small, seeded, the same on every platform.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

extension ParameterVector {
    static let smallLayout = {
        do {
            return try TreeLayout([("a", [5]), ("b", [2, 3]), ("c", [2, 2])])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Numbers in [-1, 1].
    static func random(
        layout: TreeLayout = smallLayout, using generator: inout SeededGenerator
    ) -> ParameterVector {
        ParameterVector(zeros: layout).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    func adding(_ other: ParameterVector) -> ParameterVector {
        var result = self
        result.withUnsafeMutableValues { result in
            for index in result.indices { result[index] += other.values[index] }
        }
        return result
    }

    var address: UnsafeRawPointer? {
        withUnsafeValues { $0.baseAddress.map { UnsafeRawPointer($0) } }
    }
}
