/// Bounds of what was computed of numbers that are not negative.
enum UpwardRounding {
    /// A number that is not below s(1 + u)^m, where u = 2⁻⁵³ bounds one rounding and m ≤ 2⁴⁰ counts them: s is a sum of
    /// products of terms ≥ 0 that took at most m operations each.
    static func value(_ s: Double, operations m: Int) -> Double {
        (s * (1 + Double(m + 8) * 0x1p-52)).nextUp
    }

    /// The root of it, rounded up.
    static func root(_ s: Double, operations m: Int) -> Double {
        value(s, operations: m).squareRoot().nextUp
    }
}
