import LinearAlgebra

/// s = 1 / (√(max(v, floor) + εᵣ) + ε), each operation rounded once to Float32, in this order.
struct PreconditionerScale {
    let epsilon: Float
    let epsilonRoot: Float
    let floor: Float

    /// Below this many elements a second thread costs more to wake than it saves.
    private static let elementsPerThread = 1 << 16

    /// Writes the scale, and returns whether every element of it is positive and finite.
    func write(_ moment: UnsafePointer<Float>, count: Int, into scale: UnsafeMutablePointer<Float>) -> Bool {
        let team = max(1, min(count / Self.elementsPerThread, Threads.limit))
        return withUnsafeTemporaryAllocation(of: Bool.self, capacity: team) { valid in
            valid.initialize(repeating: true)
            Threads.withTeam(of: team) { member in
                let share = member.share(of: 0..<count)
                valid[member.index] = write(
                    moment + share.lowerBound, shareCount: share.count, into: scale + share.lowerBound)
            }
            return valid.allSatisfy { $0 }
        }
    }

    private func write(
        _ moment: UnsafePointer<Float>, shareCount count: Int, into scale: UnsafeMutablePointer<Float>
    ) -> Bool {
        let source = UnsafeRawPointer(moment)
        let target = UnsafeMutableRawPointer(scale)
        // The bit patterns of positive, finite numbers are those from 1 to that of the largest; a difference that
        // leaves this range has its sign bit set.
        let largest = SIMD8<UInt32>(repeating: Float.greatestFiniteMagnitude.bitPattern)
        var outside = SIMD8<UInt32>.zero
        let whole = count / 8 * 8
        for offset in stride(from: 0, to: 4 * whole, by: 32) {
            let v = source.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            // NaN is not below the floor, and stays.
            let bounded = v.replacing(with: floor, where: v .< floor)
            let s = 1 / ((bounded + epsilonRoot).squareRoot() + epsilon)
            let bits = unsafeBitCast(s, to: SIMD8<UInt32>.self)
            outside |= (bits &- SIMD8(repeating: 1)) | (largest &- bits)
            target.storeBytes(of: s, toByteOffset: offset, as: SIMD8<Float>.self)
        }
        var valid = (0..<8).allSatisfy { outside[$0] >> 31 == 0 }
        for index in whole..<count {
            let v = moment[index]
            let s = 1 / (((v < floor ? floor : v) + epsilonRoot).squareRoot() + epsilon)
            valid = valid && s > 0 && s < .infinity
            scale[index] = s
        }
        return valid
    }
}
