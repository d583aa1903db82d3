import CFourier
import Requirements
import Synchronization

/// Real discrete Fourier transforms of even length N: N samples, N/2 + 1 complex frequencies, interleaved.
final class FourierTransform: Sendable {
    let length: Int
    private let plan: Plan

    private struct Plan: @unchecked Sendable {
        // Safe to share: the tables behind it are never written after they are made.
        let pointer: OpaquePointer
    }

    private init(length: Int) {
        guard let pointer = cfourier_plan_create(length) else {
            fail("No Fourier transform of length \(length): it must be even, with factors 2, 3 and 5")
        }
        self.length = length
        plan = Plan(pointer: pointer)
    }

    deinit { cfourier_plan_destroy(plan.pointer) }

    /// The least supported length that is at least `count`: 2, 3 or 5 times a power of two.
    static func goodLength(atLeast count: Int) -> Int {
        var best = 16
        while best < count { best *= 2 }
        for odd in [3, 5] {
            var candidate = odd * 8
            while candidate < count { candidate *= 2 }
            best = min(best, candidate)
        }
        return best
    }

    private static let cache = Mutex<[Int: FourierTransform]>([:])

    /// The transform of `length`. Those up to 2¹⁸ are kept: making the tables costs more than using them.
    static func ofLength(_ length: Int) -> FourierTransform {
        cache.withLock { cache in
            if let known = cache[length] { return known }
            let made = FourierTransform(length: length)
            if length <= 1 << 18 { cache[length] = made }
            return made
        }
    }

    func forward(_ signal: [Double]) -> [Double] {
        require(signal.count == length, "A signal of \(signal.count) for a transform of \(length)")
        return [Double](unsafeUninitializedCapacity: length + 2) { spectrum, count in
            cfourier_forward(plan.pointer, signal, spectrum.baseAddress!)
            count = length + 2
        }
    }

    func inverse(_ spectrum: inout [Double]) -> [Double] {
        require(spectrum.count == length + 2, "A spectrum of \(spectrum.count) for a transform of \(length)")
        return [Double](unsafeUninitializedCapacity: length) { signal, count in
            cfourier_inverse(plan.pointer, &spectrum, signal.baseAddress!)
            count = length
        }
    }

    /// A bound on the error of any one output relative to Σ|input|: at most log₂N stages, each with a twiddle of
    /// absolute error below 10 ulps and a few roundings. Taken three times larger than that count.
    static func relativeError(length: Int) -> Double {
        32 * 0x1p-53 * Double(Int.bitWidth - (length - 1).leadingZeroBitCount)
    }
}
