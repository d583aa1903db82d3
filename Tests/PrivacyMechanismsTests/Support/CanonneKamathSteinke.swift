/// The discrete Gaussian by algorithms 1 to 3 of Canonne, Kamath and Steinke (arXiv 2004.00010), exact in integers:
/// the reference of the fast sampler.
struct CanonneKamathSteinke<Generator: RandomNumberGenerator> {
    var generator: Generator

    /// One integer of N_ℤ(0, σ²), σ² an integer.
    mutating func next(variance: UInt64) -> Int {
        let t = UInt64(Double(variance).squareRoot()) + 1
        while true {
            let y = laplace(t)
            // exp(-(|y| - σ²/t)²/(2σ²)), all over t².
            let distance = Int64(y.magnitude) * Int64(t) - Int64(variance)
            if bernoulli(expMinus: UInt64(distance * distance), 2 * variance * t * t) { return y }
        }
    }

    private mutating func laplace(_ t: UInt64) -> Int {
        while true {
            let u = UInt64.random(in: 0..<t, using: &generator)
            guard bernoulli(expMinus: u, t) else { continue }
            var v: UInt64 = 0
            while bernoulli(expMinus: 1, 1) { v += 1 }
            let magnitude = Int(u + t * v)
            let isNegative = Bool.random(using: &generator)
            if isNegative && magnitude == 0 { continue }
            return isNegative ? -magnitude : magnitude
        }
    }

    private mutating func bernoulli(expMinus numerator: UInt64, _ denominator: UInt64) -> Bool {
        var numerator = numerator
        while numerator > denominator {
            guard bernoulli(expMinus: 1, 1) else { return false }
            numerator -= denominator
        }
        var k: UInt64 = 1
        while UInt64.random(in: 0..<denominator * k, using: &generator) < numerator { k += 1 }
        return k % 2 == 1
    }
}
