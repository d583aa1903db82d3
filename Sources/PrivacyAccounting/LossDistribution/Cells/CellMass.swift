/// The mass between two grid points, from whichever pair of tails is smaller, and a bound on its rounding error.
struct CellMass {
    let mass: Double
    let error: Double

    init(below lower: Double, _ upper: Double, above lowerAbove: Double, _ upperAbove: Double) {
        let usesBelow = upper < lowerAbove
        mass = max(0, usesBelow ? upper - lower : lowerAbove - upperAbove)
        // Two tails. Each is correct to 4 ulps at its argument. The argument has 2½ roundings, which move a Gaussian
        // tail t by x² as much, relatively, and x² ≤ −2·log(2t) ≤ −1.4·log₂ t.
        let tail = usesBelow ? upper : lowerAbove
        error = tail * (8 - 8 * (Double(tail.exponentBitPattern) - 1023)) * 0x1p-53
    }
}
