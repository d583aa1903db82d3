import Requirements

/// A strategy with one coefficient for each diagonal: C[i][j] = c_{i−j}, and c₀ = 1.
package protocol ToeplitzNoiseStrategy: NoiseStrategy {
    /// c₀, …, c_{count−1}, with rounding errors, for `count` ≤ n.
    func coefficients(_ count: Int) -> [Double]

    /// Numbers that are not below |c₀|, …, |c_{count−1}|, and above them by rounding only.
    func magnitudes(_ count: Int) -> [Double]

    /// The first elements of C⁻¹y, as many as y has, which are at most n.
    func inverseProduct(_ values: [Double]) -> [Double]
}

extension ToeplitzNoiseStrategy {
    /// C. Traps if the matrix has more elements than fit into memory.
    package var matrix: [[Double]] {
        let c = coefficients(steps)
        return (0..<steps).map { row in c[0...row].reversed() + [Double](repeating: 0, count: steps - 1 - row) }
    }

    /// The coefficients of C⁻¹: the noise of step t is Σ_j ĉ_j z_{t−j}.
    package func noisingCoefficients(_ count: Int) -> [Double] {
        inverseProduct((0..<count).map { $0 == 0 ? 1 : 0 })
    }

    /// A·C⁻¹ is Toeplitz with coefficients d = C⁻¹w: row t has the squared norm Σ_{i≤t} d_i². O(n) and a product with
    /// C⁻¹.
    package func squaredErrors(on workload: StrategyWorkload) -> SquaredErrors {
        var (row, sum) = (0.0, 0.0)
        for value in inverseProduct(workload.coefficients(steps)) {
            row += value * value
            sum += row
        }
        return SquaredErrors(mean: sum / Double(steps), max: row)
    }

    /// Of coefficients that neither are negative nor increase, the columns 0, b, 2b, … are the worst. They are
    /// replaced by the least such majorant of |c|, unless nothing overlaps: then the norms of columns count, which do
    /// not increase whatever c is.
    package func separatedSensitivity(participations: Int, separation: Int, steps t: Int) -> Double {
        let magnitudes = magnitudes(t)
        return Self.norm(
            of: bands <= separation || participations == 1 ? magnitudes : magnitudes.suffixMaxima,
            participations: participations, separation: separation)
    }

    /// A later offset leaves out rows and columns of the first one: no monotony is needed.
    package func repeatedSensitivity(length: Int, steps t: Int) -> Double {
        Self.norm(of: magnitudes(t), participations: t.dividedUp(by: length), separation: length)
    }

    /// The norm of the sum of k copies of a ≥ 0, each b rows below the one before, over as many rows as a has; rounded
    /// up. O(t·min(k, 1 + m/b)) for m elements up to the last that is not 0.
    private static func norm(of a: [Double], participations k: Int, separation b: Int) -> Double {
        let width = 1 + (a.lastIndex { $0 > 0 } ?? 0)
        let square = a.withUnsafeBufferPointer { a in
            var square = 0.0
            for row in a.indices {
                var (sum, copy) = (0.0, row < width ? 0 : (row - width) / b + 1)
                let end = min(k, row / b + 1)
                while copy < end {
                    sum += a[row - copy * b]
                    copy += 1
                }
                square += sum * sum
            }
            return square
        }
        return UpwardRounding.root(square, operations: a.count + 2 * min(k, 1 + width / b))
    }
}

extension [Double] {
    /// Each element's maximum with all that follow it.
    var suffixMaxima: [Double] {
        var result = self
        for index in result.indices.dropLast().reversed() where result[index + 1] > result[index] {
            result[index] = result[index + 1]
        }
        return result
    }
}
