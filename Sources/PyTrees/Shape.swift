/// The number of elements of an array of `shape`; throws if a dimension is negative or the product overflows `Int`.
func elementCount(of shape: [Int], at path: TreePath?) throws(PyTreeError) -> Int {
    guard shape.allSatisfy({ $0 >= 0 }) else { throw .negativeDimension(path: path, shape: shape) }
    // Looked for first, because [Int.max, Int.max, 0] is a legal array without elements.
    if shape.contains(0) { return 0 }
    var count = 1
    for dimension in shape {
        let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
        if overflow { throw .elementCountOverflow(path: path, shape: shape) }
        count = product
    }
    return count
}

/// The textual form of `shape`, such as `float32[3,4]`.
func shapeText(_ shape: [Int]) -> String {
    "float32[\(shape.map(String.init).joined(separator: ","))]"
}
