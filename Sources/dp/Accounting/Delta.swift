/// δ as people read it.
enum Delta {
    /// Four significant digits, rounded outward: an upper bound (`up`) is never shown smaller than it is, and a lower
    /// one never larger.
    static func text(_ delta: Double, up: Bool = true) -> String { roundedOutward(delta, digits: 4, up: up) }
}
