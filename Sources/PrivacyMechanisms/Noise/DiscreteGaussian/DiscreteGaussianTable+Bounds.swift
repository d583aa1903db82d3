extension DiscreteGaussianTable {
    /// The element nearest to zero of cell number `cell`.
    static func nearest(in cell: Int, _ width: Int) -> Int {
        cell >= centre ? (cell - centre) * width : (cell - centre + 1) * width - 1
    }

    /// The element farthest from zero.
    static func farthest(in cell: Int, _ width: Int) -> Int {
        cell >= centre ? (cell - centre + 1) * width - 1 : (cell - centre) * width
    }

    /// Not below exp(-τx²).
    static func upper(_ tau: Double, _ x: Int) -> Double {
        let d = tau * (Double(x) * Double(x))
        guard d < BoundedExponential.limit else { return 0x1p-1000 }
        return BoundedExponential.minus(d) * (1 + 2 * BoundedExponential.relativeError)
    }

    /// Not above exp(-τx²).
    static func lower(_ tau: Double, _ x: Int) -> Double {
        let d = tau * (Double(x) * Double(x))
        guard d < BoundedExponential.limit else { return 0 }
        return BoundedExponential.minus(d) * (1 - 2 * BoundedExponential.relativeError)
    }

    /// 1/(2σ²) as a Float64 not above it, and less than three units of the last place below.
    static func tau(notAbove sigma: Double) -> Double {
        var tau = 1 / (2 * sigma * sigma)
        while isAboveHalf(tau, sigma) { tau = tau.nextDown }
        return tau
    }

    /// Whether τσ² > ½, in integers: the product of three significands of 53 bits against a power of two.
    private static func isAboveHalf(_ tau: Double, _ sigma: Double) -> Bool {
        let square = UInt128(integral(sigma)) * UInt128(integral(sigma))
        let product = square.multipliedFullWidth(by: UInt128(integral(tau)))
        let places = 156 - 1 - Int(tau.exponent) - 2 * Int(sigma.exponent)
        let bound = UInt128(1) << UInt128(places - 128)
        return product.high > bound || (product.high == bound && product.low > 0)
    }

    /// The significand of a normal number as an integer of 53 bits.
    static func integral(_ value: Double) -> UInt64 { value.significandBitPattern | 1 << 52 }
}
