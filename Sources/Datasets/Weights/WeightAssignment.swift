import PyTrees
import Requirements

/// A leaf, and the tensor or the rows of one that it is by a rule.
struct WeightAssignment {
    let leaf: TreeLayout.Leaf
    let rule: WeightMapping.Rule
    /// The tensor's name.
    let tensor: String
    /// The shape of the rows that are the leaf: that of the tensor, where the rule takes all of them.
    let shape: [Int]

    /// Throws if the leaf cannot be laid out as the rule says.
    init(_ leaf: TreeLayout.Leaf, rule: WeightMapping.Rule, tensor: String) throws(WeightMappingProblem) {
        self.leaf = leaf
        self.rule = rule
        self.tensor = tensor
        guard let shape = rule.order.tensorShape(ofLeaf: leaf.shape) else {
            throw .orderDoesNotFit(rule.order.name, size: rule.order.size, leaf: leaf.path, leafShape: leaf.shape)
        }
        self.shape = shape
        guard let rows = rule.rows else { return }
        guard shape.first == rows.count else {
            throw .rowsDoNotFit(
                [rows.lowerBound, rows.upperBound], tensor: tensor, leaf: leaf.path, leafShape: leaf.shape,
                needed: shape.first)
        }
    }

    /// The rows of the tensor; a tensor of one number has one.
    var rows: Range<Int> { rule.rows ?? 0..<(shape.first ?? 1) }

    /// The elements of a row.
    var rowCount: Int { rows.isEmpty ? 0 : leaf.range.count / rows.count }

    /// Throws unless the tensor, of `shape`, has the rows.
    func check(tensorShape: [Int]) throws(WeightMappingProblem) {
        let fits =
            if let rows = rule.rows {
                tensorShape.dropFirst().elementsEqual(shape.dropFirst()) && tensorShape.first ?? 0 >= rows.upperBound
            } else {
                tensorShape == shape
            }
        guard !fits else { return }
        throw .shapeMismatch(
            tensor: tensor, shape: tensorShape, rows: rule.rows.map { [$0.lowerBound, $0.upperBound] },
            expected: shape, leaf: leaf.path, leafShape: leaf.shape)
    }
}

extension WeightMapping {
    /// The leaves of `layout` that the rules fill, in layout order.
    ///
    /// Throws if a rule fills none, two fill the same, one fills a leaf that it cannot, or if a leaf is left out that
    /// may not be.
    func assignments(for layout: TreeLayout) throws(WeightMappingProblem) -> [WeightAssignment] {
        var found = [WeightAssignment?](repeating: nil, count: layout.leaves.count)
        for rule in rules {
            var isUsed = false
            for (place, leaf) in layout.leaves.enumerated() {
                guard let captures = rule.leafPattern.captures(in: leaf.path.keys) else { continue }
                isUsed = true
                let tensor = rule.tensorPattern.filled(with: captures).joined(separator: ".")
                if let other = found[place] { throw .leafFilledTwice(leaf.path, by: [other.tensor, tensor]) }
                found[place] = try WeightAssignment(leaf, rule: rule, tensor: tensor)
            }
            if !isUsed { throw .ruleWithoutLeaf(to: rule.to, from: rule.from, known: layout.leafPaths) }
        }
        for path in allowMissing where layout.leaves(under: path) == nil {
            throw .nothingToAllow(path, known: layout.leafPaths)
        }
        let missing = zip(layout.leaves, found).filter { leaf, assignment in
            assignment == nil && !allowsMissing(leaf.path)
        }
        if !missing.isEmpty { throw .leavesLeftOut(missing.map(\.0.path)) }
        return found.compactMap(\.self)
    }

    /// Whether the leaf at `path` may be missing.
    func allowsMissing(_ path: TreePath) -> Bool { allowMissing.contains { $0.isPrefix(of: path) } }

    /// Whether a rule matches the name of a tensor. Throws unless `layout` has the leaf that the tensor then is.
    func matches(tensor: String, in layout: TreeLayout) throws(WeightMappingProblem) -> Bool {
        let parts = WeightPattern.parts(ofName: tensor)
        var isMatched = false
        for rule in rules {
            guard let captures = rule.tensorPattern.captures(in: parts) else { continue }
            isMatched = true
            let path = TreePath(rule.leafPattern.filled(with: captures))
            if layout[path] == nil { throw .missingLeaf(path, tensor: tensor, known: layout.leafPaths) }
        }
        return isMatched
    }
}

extension TreeLayout {
    fileprivate var leafPaths: [TreePath] { leaves.map(\.path) }
}
