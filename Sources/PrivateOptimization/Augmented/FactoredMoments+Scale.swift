import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

extension FactoredMoments: ScalableMoments {
    /// A number for each row and each column of a matrix, and for each element of any other leaf.
    public static func scaleLayout(of parameters: TreeLayout) -> TreeLayout {
        RankOneTransform.scaleLayout(of: parameters)
    }

    /// A transform of rank one in each matrix.
    public static func transform(
        _ scale: ParameterVector, of parameters: TreeLayout, isChecked: Bool
    ) throws(PrivacyMechanismError) -> RankOneTransform {
        isChecked
            ? RankOneTransform(parameters, checkedScale: scale) : try RankOneTransform(parameters, scale: scale)
    }

    /// The formula of each row and each column: those of ``ScaleThenPrivatize``.
    public static func writeScale(
        _ formula: PreconditionerScale, of moments: ParameterVector, for parameters: TreeLayout,
        to scale: inout ParameterVector
    ) -> Bool {
        let halves = formula.ofHalves
        var (isValid, found) = (true, 0)
        let target = RankOneTransform.factors(of: parameters).leaves
        for (index, leaf) in parameters.leaves.enumerated() {
            guard let moment = LeafMoment(of: leaf, in: moments) else { continue }
            found += moment.leafCount
            let place = target[index]
            guard let factors = moment.factors else {
                isValid = formula.write(moment.elements, to: &scale, at: place.moments) && isValid
                continue
            }
            if place.axes != nil {
                isValid = halves.write(factors.rows[...], to: &scale, at: place.moments) && isValid
                isValid = halves.write(factors.columns[...], to: &scale, at: place.columnMoments) && isValid
            } else {
                let (rows, columns) = (halves.values(factors.rows[...]), halves.values(factors.columns[...]))
                scale.withUnsafeMutableValues { scale in
                    factors.axes.forEachElement { element, row, column in
                        scale[place.moments + element] = rows.scale[row] * columns.scale[column]
                    }
                }
                isValid = rows.isValid && columns.isValid && isValid
            }
        }
        require(
            found == moments.layout.leaves.count,
            "Second moments of layout\n\(moments.layout)\ndo not fit parameters of layout\n\(parameters)")
        return isValid
    }
}

/// The second moment of one leaf: its elements, or its rows and columns.
private struct LeafMoment {
    private let leaf: TreeLayout.Leaf
    private let axes: FactoredAxes?
    let elements: ArraySlice<Float>
    private let rows: ArraySlice<Float>
    private let columns: ArraySlice<Float>

    /// How many leaves of the moments it is.
    let leafCount: Int

    /// Nil if the moments have none for the leaf.
    init?(of leaf: TreeLayout.Leaf, in moments: ParameterVector) {
        self.leaf = leaf
        if let place = moments.layout[leaf.path] {
            if place.shape != leaf.shape { failToFit(place, moments.layout) }
            (axes, leafCount) = (nil, 1)
            (elements, rows, columns) = (moments.values[place.range], [], [])
        } else if let rows = moments.layout[leaf.path.appending(FactoredLayout.rows)],
            let columns = moments.layout[leaf.path.appending(FactoredLayout.columns)]
        {
            guard let axes = FactoredAxes(shape: leaf.shape, minimumSide: 1), rows.shape == axes.rowShape,
                columns.shape == axes.columnShape
            else { failToFit(leaf, moments.layout) }
            (self.axes, leafCount, elements) = (axes, 2, [])
            (self.rows, self.columns) = (moments.values[rows.range], moments.values[columns.range])
        } else {
            return nil
        }
    }

    /// a and b with v = a·b, for the row and the column that an element is in; nil for a leaf without two axes.
    ///
    /// They are the means of rows and of columns over the root of the mean of both, in each slice of the leaf. Those of
    /// a matrix that is not factored are taken of its elements.
    var factors: (axes: FactoredAxes, rows: [Float], columns: [Float])? {
        if let axes { return balanced(axes, rows, columns) }
        guard leaf.shape.count == 2, let axes = FactoredAxes(shape: leaf.shape, minimumSide: 1) else { return nil }
        var rows = [Float](repeating: 0, count: axes.rows)
        var columnSums = [Double](repeating: 0, count: axes.columns)
        elements.withUnsafeBufferPointer { elements in
            for row in 0..<axes.rows {
                var sum = 0.0
                for column in 0..<axes.columns {
                    let value = Double(elements[row * axes.columns + column])
                    sum += value
                    columnSums[column] += value
                }
                rows[row] = Float(sum / Double(axes.columns))
            }
        }
        let columns = columnSums.map { Float($0 / Double(axes.rows)) }
        return balanced(axes, rows[...], columns[...])
    }

    private func balanced(
        _ axes: FactoredAxes, _ rows: ArraySlice<Float>, _ columns: ArraySlice<Float>
    ) -> (axes: FactoredAxes, rows: [Float], columns: [Float]) {
        (axes, balanced(rows, axes.slice(ofRow:), axes), balanced(columns, axes.slice(ofColumn:), axes))
    }

    /// Each mean over the root of the mean of its slice's.
    private func balanced(
        _ means: ArraySlice<Float>, _ slice: (Int) -> Int, _ axes: FactoredAxes
    ) -> [Float] {
        var sums = [Double](repeating: 0, count: axes.slices)
        for (index, mean) in means.enumerated() { sums[slice(index)] += Double(mean) }
        let perSlice = Double(means.count / max(1, axes.slices))
        return means.enumerated().map { index, mean in
            let root = (sums[slice(index)] / perSlice).squareRoot()
            return root == 0 ? 0 : Float(Double(mean) / root)
        }
    }
}
