import CPrivacyKernels
import Testing

private typealias AddWeightedRows = (
    _ rows: UnsafePointer<UnsafePointer<Float>>, _ coefficients: UnsafePointer<Double>, _ rowCount: Int,
    _ offset: Int, _ count: Int, _ sum: UnsafeMutablePointer<Double>
) -> Void

private struct Problem {
    let rows: [FencedBuffer<Float>]
    let coefficients: [Double]
    let sum: [Double]
    let offset: Int
    let count: Int

    init(rowCount: Int, offset: Int, count: Int, from generator: inout SeededGenerator) {
        rows = (0..<rowCount).map { _ in
            let values = (0..<count).map { _ in generator.float(exponents: -8...8) }
            return FencedBuffer([Float](repeating: .nan, count: offset) + values)
        }
        coefficients = (0..<rowCount).map { _ in Double.random(in: -1...1, using: &generator) }
        sum = (0..<offset + count).map { _ in Double.random(in: -1...1, using: &generator) }
        self.offset = offset
        self.count = count
    }

    /// The sum after `subject` has added the rows in calls that end at `cuts`, once over all columns at a time.
    func result(of subject: AddWeightedRows, cuts: [Int]) -> [Double] {
        let out = FencedBuffer(sum)
        defer { withExtendedLifetime(rows) {} }
        let pointers = rows.map { UnsafePointer($0.base) }
        var begin = 0
        for end in cuts + [rows.count] {
            subject(
                Array(pointers[begin..<end]), Array(coefficients[begin..<end]), end - begin, offset, count, out.base)
            begin = end
        }
        return out.elements
    }

    /// One row after the other, each product and each addition rounded.
    var expected: [Double] {
        var expected = sum
        for (row, coefficient) in zip(rows, coefficients) {
            let row = row.elements
            for j in offset..<offset + count { expected[j] += coefficient * Double(row[j]) }
        }
        return expected
    }
}

/// How many sums of `subject` differ from the row-by-row sum, in any bit or in a column that is not theirs.
private func failures(of subject: AddWeightedRows) -> (whole: Int, cut: Int) {
    var generator = SeededGenerator(seed: 3)
    var failures = (whole: 0, cut: 0)
    for rowCount in 0...9 {
        for count in Array(0...40) + [1000, 4099] {
            for offset in [0, 1, 5, 8] {
                let problem = Problem(rowCount: rowCount, offset: offset, count: count, from: &generator)
                let expected = problem.expected.bits
                if problem.result(of: subject, cuts: []).bits != expected { failures.whole += 1 }
                let cuts = (0..<3).map { _ in Int.random(in: 0...rowCount, using: &generator) }.sorted()
                if problem.result(of: subject, cuts: cuts).bits != expected { failures.cut += 1 }
            }
        }
    }
    return failures
}

struct AddWeightedRowsTests {
    @Test(arguments: Level.available)
    func sumsAreThoseOfOneRowAfterTheOtherHoweverCut(level: Level) {
        #expect(failures(of: level.kernels.add_weighted_rows) == (0, 0))
    }

    @Test func bitsRejectOtherRoundingsAndOtherOrders() {
        // Control: multiplication and addition in one rounding.
        let contracted: AddWeightedRows = { rows, coefficients, rowCount, offset, count, sum in
            for row in 0..<rowCount {
                for j in offset..<offset + count { sum[j].addProduct(coefficients[row], Double(rows[row][j])) }
            }
        }
        // Control: the rows of a call are added up before they meet the sum, so that cuts matter.
        let grouped: AddWeightedRows = { rows, coefficients, rowCount, offset, count, sum in
            for j in offset..<offset + count {
                sum[j] += (0..<rowCount).reduce(0.0) { $0 + coefficients[$1] * Double(rows[$1][j]) }
            }
        }
        // Control: one column too many, where there is one in front.
        let spilling: AddWeightedRows = { rows, coefficients, rowCount, offset, count, sum in
            Level.portable.kernels.add_weighted_rows(rows, coefficients, rowCount, offset, count, sum)
            if offset > 0 { sum[offset - 1] += 1 }
        }
        for control in [contracted, grouped, spilling] {
            let failures = failures(of: control)
            #expect(failures.whole > 1000 && failures.cut > 1000)
        }
    }

    @Test(arguments: Level.available)
    func columnsMayBeCutToo(level: Level) {
        var generator = SeededGenerator(seed: 4)
        let problem = Problem(rowCount: 9, offset: 0, count: 1001, from: &generator)
        func cut(at columns: [Int]) -> [UInt64] {
            let out = FencedBuffer(problem.sum)
            defer { withExtendedLifetime(problem.rows) {} }
            var begin = 0
            for end in columns + [problem.count] {
                level.kernels.add_weighted_rows(
                    problem.rows.map { UnsafePointer($0.base) }, problem.coefficients, 9, begin, end - begin, out.base)
                begin = end
            }
            return out.elements.bits
        }
        #expect(cut(at: [1, 2, 10, 500, 999]) == problem.expected.bits)
        // Control: a column that is added twice shows.
        #expect(cut(at: [500, 499]) != problem.expected.bits)
    }
}
