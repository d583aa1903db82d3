import Foundation

/// log Σ exp(xᵢ), accumulated without overflow.
struct LogSum {
    private var largest = -Double.infinity
    private var scaled = 0.0

    mutating func add(_ logTerm: Double) {
        if logTerm == -.infinity { return }
        if logTerm > largest {
            scaled = scaled * exp(largest - logTerm) + 1
            largest = logTerm
        } else {
            scaled += exp(logTerm - largest)
        }
    }

    var value: Double { largest == -.infinity ? -.infinity : largest + log(scaled) }
}

/// Σ xᵢ with a relative error below 3·2⁻⁵³ for up to 2²⁵ terms of one sign: Kahan's summation with the exact error of
/// each addition (Knuth's).
struct CompensatedSum {
    private var (sum, correction) = (0.0, 0.0)

    var value: Double { sum + correction }

    mutating func add(_ term: Double) {
        let total = sum + term
        let added = total - sum
        correction += (sum - (total - added)) + (term - added)
        sum = total
    }
}

/// log C(n, k).
func logBinomial(_ n: Double, _ k: Double) -> Double {
    lgammaPositive(n + 1) - lgammaPositive(k + 1) - lgammaPositive(n - k + 1)
}

/// log Γ(x) for x > 0. `lgamma` itself writes a global sign and is not safe to call from several threads.
func lgammaPositive(_ x: Double) -> Double {
    #if canImport(Glibc)
        var sign: Int32 = 0
        return lgamma_r(x, &sign)
    #else
        return lgamma(x)
    #endif
}

/// log(e^x − 1) for x > 0.
func logExpMinusOne(_ x: Double) -> Double { x > 1 ? x + log1p(-exp(-x)) : log(expm1(x)) }
