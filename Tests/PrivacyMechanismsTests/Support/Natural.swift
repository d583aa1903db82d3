/// A natural number of any size, for laws that are compared exactly.
struct Natural: Equatable {
    /// Digits to base 2³², the lowest first, without leading zeros.
    private var digits: [UInt64] = []

    init(_ value: UInt64) { self.init(digits: [value & 0xffff_ffff, value >> 32]) }

    private init(digits: [UInt64]) {
        self.digits = digits
        while self.digits.last == 0 { self.digits.removeLast() }
    }

    static func + (a: Natural, b: Natural) -> Natural {
        var (sum, carry) = ([UInt64](), UInt64(0))
        for place in 0..<max(a.digits.count, b.digits.count) {
            carry += (place < a.digits.count ? a.digits[place] : 0) + (place < b.digits.count ? b.digits[place] : 0)
            sum.append(carry & 0xffff_ffff)
            carry >>= 32
        }
        return Natural(digits: sum + [carry])
    }

    static func * (a: Natural, b: Natural) -> Natural {
        var product = [UInt64](repeating: 0, count: a.digits.count + b.digits.count + 1)
        for (i, x) in a.digits.enumerated() {
            var carry: UInt64 = 0
            for (j, y) in b.digits.enumerated() {
                carry += product[i + j] + x * y
                product[i + j] = carry & 0xffff_ffff
                carry >>= 32
            }
            product[i + b.digits.count] += carry
        }
        return Natural(digits: product)
    }

    func power(_ exponent: Int) -> Natural { (0..<exponent).reduce(Natural(1)) { power, _ in power * self } }
}
