import CPrivacyKernels
import Testing

/// The products whose rows do not depend on each other.
struct ProductsTests {
    fileprivate typealias Multiply =
        @convention(c) (
            UnsafePointer<Float>, Int, Int, Int, Int, UnsafePointer<Float>, Int, Int32, UnsafeMutablePointer<Float>, Int
        ) -> Void

    /// A matrix product and the buffers around it.
    fileprivate struct Problem {
        let rows: Int
        let columns: Int
        let inner: Int
        let a: [Float]
        let b: [Float]

        init(rows: Int, columns: Int, inner: Int, seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            (self.rows, self.columns, self.inner) = (rows, columns, inner)
            a = (0..<rows * inner).map { _ in generator.float(exponents: -3...3) }
            b = (0..<inner * columns).map { _ in generator.float(exponents: -3...3) }
        }

        /// The chain that the header promises, a product and a sum at a time.
        func chains(isFused: Bool) -> [Float] {
            (0..<rows * columns).map { place in
                let (i, j) = (place / columns, place % columns)
                return (0..<inner).reduce(Float(0)) { sum, k in
                    let (x, y) = (a[i * inner + k], b[k * columns + j])
                    return isFused ? sum.addingProduct(x, y) : sum + x * y
                }
            }
        }

        /// The product by the kernels, panel by panel and with the sums cut at `cut`, between fences.
        func product(
            _ level: Level, cut: Int, aIsTransposed: Bool = false, bIsTransposed: Bool = false,
            multiply: Multiply? = nil
        ) -> [Float] {
            let kernels = level.kernels.products.pointee
            let multiply = multiply ?? kernels.multiply_panel
            let width = kernels.panel_width
            let left = FencedBuffer(
                aIsTransposed ? (0..<rows * inner).map { a[$0 % rows * inner + $0 / rows] } : a)
            let right = FencedBuffer(
                bIsTransposed ? (0..<inner * columns).map { b[$0 % inner * columns + $0 / inner] } : b)
            let out = FencedBuffer([Float](repeating: .nan, count: rows * columns))
            let (rowStep, innerStep) = aIsTransposed ? (1, rows) : (inner, 1)
            let (bInner, bColumn) = bIsTransposed ? (1, inner) : (columns, 1)
            withExtendedLifetime((left, right, out)) {
                for column in stride(from: 0, to: columns, by: width) {
                    let count = min(width, columns - column)
                    for (index, part) in [0..<cut, cut..<inner].enumerated() where index == 0 || !part.isEmpty {
                        let panelWidth = count > width / 2 ? width : width / 2
                        let panel = FencedBuffer([Float](repeating: .nan, count: part.count * panelWidth))
                        withExtendedLifetime(panel) {
                            kernels.pack_panel(
                                right.base + part.lowerBound * bInner + column * bColumn, bInner, bColumn, part.count,
                                count, panel.base)
                            multiply(
                                left.base + part.lowerBound * innerStep, rowStep, innerStep, rows, part.count,
                                panel.base, count, index == 0 ? 0 : 1, out.base + column, columns)
                        }
                    }
                }
            }
            return out.elements
        }
    }

    private static func isFused(_ level: Level) -> Bool {
        #if arch(x86_64)
            level != .portable
        #else
            true
        #endif
    }

    @Test(arguments: Level.available)
    func everyElementIsTheChain(level: Level) {
        for (rows, columns, inner) in [(1, 1, 1), (3, 7, 5), (12, 32, 9), (13, 33, 40), (29, 17, 64), (6, 70, 31)] {
            let problem = Problem(rows: rows, columns: columns, inner: inner, seed: UInt64(rows * columns))
            let expected = problem.chains(isFused: Self.isFused(level))
            for cut in [inner, 0, inner / 3] where cut > 0 || inner == 0 {
                for (aIsTransposed, bIsTransposed) in [(false, false), (true, false), (false, true), (true, true)] {
                    let found = problem.product(
                        level, cut: cut, aIsTransposed: aIsTransposed, bIsTransposed: bIsTransposed)
                    #expect(found.bits == expected.bits, "\(rows) × \(columns), sums of \(inner) cut at \(cut)")
                }
            }
        }
    }

    @Test(arguments: Level.available)
    func everySizeHasTheSameChains(level: Level) {
        for rows in 0...26 {
            for columns in [1, 4, 5, 8, 9, 15, 16, 17, 31, 32, 34] {
                let problem = Problem(rows: rows, columns: columns, inner: 11, seed: 3)
                #expect(
                    problem.product(level, cut: 11).bits == problem.chains(isFused: Self.isFused(level)).bits,
                    "\(rows) × \(columns)")
            }
        }
    }

    @Test(arguments: Level.available)
    func sumsOfNothingAreZeros(level: Level) {
        let problem = Problem(rows: 5, columns: 3, inner: 0, seed: 4)
        #expect(problem.product(level, cut: 0) == [Float](repeating: 0, count: 15))
    }

    @Test(arguments: Level.available)
    func whatIsNotFiniteStaysInItsRow(level: Level) {
        var generator = SeededGenerator(seed: 5)
        let clean = Problem(rows: 14, columns: 20, inner: 8, seed: 6)
        var a = clean.a
        for k in 0..<8 { a[9 * 8 + k] = generator.next() & 1 == 0 ? .nan : .infinity }
        let spoiled = Problem(rows: 14, columns: 20, inner: 8, a: a, b: clean.b)
        let (before, after) = (clean.product(level, cut: 8), spoiled.product(level, cut: 8))
        for row in 0..<14 where row != 9 {
            #expect(after[row * 20..<(row + 1) * 20].bits == before[row * 20..<(row + 1) * 20].bits)
        }
        #expect(after[9 * 20..<10 * 20].allSatisfy { !$0.isFinite })
    }

    /// The control: a product that takes the sums from the other end where the number of rows is odd, as BLAS takes
    /// other kernels for other sizes.
    @Test func aProductThatLooksAtTheNumberOfRowsIsFound() {
        let broken: Multiply = { a, rowStep, innerStep, rows, inner, panel, columns, accumulates, c, cStep in
            let width = Level.portable.kernels.products.pointee.panel_width
            let panelWidth = columns > width / 2 ? width : width / 2
            for i in 0..<rows {
                for j in 0..<columns {
                    var sum = accumulates == 0 ? 0 : c[i * cStep + j]
                    for place in 0..<inner {
                        let k = rows % 2 == 0 ? place : inner - 1 - place
                        sum += a[i * rowStep + k * innerStep] * panel[k * panelWidth + j]
                    }
                    c[i * cStep + j] = sum
                }
            }
        }
        for rows in [4, 5] {
            let problem = Problem(rows: rows, columns: 9, inner: 40, seed: 7)
            let isRight =
                problem.product(.portable, cut: 40, multiply: broken).bits == problem.chains(isFused: false).bits
            #expect(isRight == (rows == 4))
        }
    }
}

extension ProductsTests.Problem {
    fileprivate init(rows: Int, columns: Int, inner: Int, a: [Float], b: [Float]) {
        (self.rows, self.columns, self.inner, self.a, self.b) = (rows, columns, inner, a, b)
    }
}
