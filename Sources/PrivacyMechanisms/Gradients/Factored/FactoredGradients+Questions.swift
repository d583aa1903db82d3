import LinearAlgebra
import PyTrees
import Requirements

extension FactoredGradients {
    /// Question 1, in Float64 where norms of factors answer it, and with a Float32 product rounded up where a scale or
    /// positions ask for one.
    public func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        require(
            norms.count == examples.count * groups.count,
            "\(norms.count) norms are not \(examples.count) examples × \(groups.count) groups.")
        require(
            examples.lowerBound >= 0 && examples.upperBound <= exampleCount,
            "There are no examples \(examples) in a batch of \(exampleCount).")
        var squares = [Double](repeating: 0, count: norms.count)
        scale.withUnsafeValues(matching: layout) { scale in
            var column = [Double](repeating: 0, count: examples.count)
            for factor in factors where !factor.columns.isEmpty {
                let group = groups.group(of: factor.columns)
                factor.squaredNorms(
                    of: examples, under: scale.map { $0 + factor.columns.lowerBound }, into: &column)
                for (index, square) in column.enumerated() { squares[index * groups.count + group] += square }
            }
        }
        for (index, square) in squares.enumerated() { norms[index] = square }
    }

    /// Question 2, with Float32 products of at most 64 examples each, added up in Float64.
    public func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        require(
            clipFactors.count == examples.count * groups.count,
            "\(clipFactors.count) clip factors are not \(examples.count) examples × \(groups.count) groups.")
        require(
            examples.lowerBound >= 0 && examples.upperBound <= exampleCount,
            "There are no examples \(examples) in a batch of \(exampleCount).")
        require(
            sum.count == layout.count, "A sum of \(sum.count) columns does not fit \(layout.count) parameters.")
        for factor in factors where !factor.columns.isEmpty {
            let group = groups.group(of: factor.columns)
            var weighted: [WeightedExample] = []
            for (index, example) in examples.enumerated() {
                let clipFactor = clipFactors[index * groups.count + group]
                if clipFactor != 0 { weighted.append(WeightedExample(example: example, clipFactor: clipFactor)) }
            }
            if weighted.isEmpty { continue }
            factor.addWeightedSum(of: weighted, to: sum.values.base + factor.columns.lowerBound)
        }
    }

    /// Writes one example's gradient, multiplied out in Float32.
    public func copyGradient(of example: Int, into row: inout MutableSpan<Float>) {
        require(
            row.count == layout.count, "A row of \(row.count) elements does not hold \(layout.count) parameters.")
        require(
            example >= 0 && example < exampleCount, "There is no example \(example) in a batch of \(exampleCount).")
        row.withUnsafeMutableBufferPointer { row in
            for factor in factors where !factor.columns.isEmpty {
                factor.copyGradient(of: example, into: row.baseAddress! + factor.columns.lowerBound)
            }
        }
    }
}
