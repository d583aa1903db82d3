import Foundation

/// A complex number, as far as moment generating functions need it.
struct Complex {
    var (re, im): (Double, Double)

    init(_ re: Double, _ im: Double = 0) { (self.re, self.im) = (re, im) }

    var squaredModulus: Double { re * re + im * im }
    var modulus: Double { squaredModulus.squareRoot() }

    static func + (a: Complex, b: Complex) -> Complex { Complex(a.re + b.re, a.im + b.im) }
    static func - (a: Complex, b: Complex) -> Complex { Complex(a.re - b.re, a.im - b.im) }
    static func * (a: Complex, b: Complex) -> Complex {
        Complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
    }
    static func * (a: Double, b: Complex) -> Complex { Complex(a * b.re, a * b.im) }

    /// e^z − 1, with the relative accuracy of a real `expm1` where z is small.
    static func expm1(_ z: Complex) -> Complex {
        let (growth, half) = (Foundation.expm1(z.re), sin(0.5 * z.im))
        // (1 + g)·cos − 1 = g·cos − 2·sin²(half).
        return Complex(growth * cos(z.im) - 2 * half * half, (1 + growth) * sin(z.im))
    }

    /// log(1 + z), likewise.
    static func log1p(_ z: Complex) -> Complex {
        Complex(0.5 * Foundation.log1p(z.re * (2 + z.re) + z.im * z.im), atan2(z.im, 1 + z.re))
    }
}
