import PyTrees
import Requirements

extension SafeTensors {
    /// Writes the leaves that `mapping` names under the names and in the orders that it says, as
    /// `write(_:metadata:to:)` writes a file.
    ///
    /// What is written is read again by the same mapping in every bit. Leaves that no rule fills are not written, and
    /// `mapping` has to allow it: so adapters alone are saved.
    ///
    ///     let adapters = WeightMapping(rules, allowMissing: [.root])
    ///     try SafeTensors.write(parameters, by: adapters, to: "adapters.safetensors")
    ///
    /// Throws ``FileError`` if the file cannot be written, and for what does not fit between mapping and leaves:
    /// ``WeightMappingProblem``. Rows of a tensor have to be written by one leaf each.
    public static func write(
        _ parameters: ParameterVector, by mapping: WeightMapping, metadata: [String: String] = [:], to path: String
    ) throws(FileError) {
        let tensors: ParameterVector
        do throws(WeightMappingProblem) {
            tensors = try mapping.tensors(of: parameters)
        } catch {
            throw .mapping(path: path, problem: error)
        }
        try write(tensors, metadata: metadata, to: path)
    }

    /// The same for parameters that are a tree. Traps if two children of the tree share a key.
    public static func write(
        _ parameters: some PyTree, by mapping: WeightMapping, metadata: [String: String] = [:], to path: String
    ) throws(FileError) {
        try write(parameters.vector(), by: mapping, metadata: metadata, to: path)
    }
}

extension WeightMapping {
    /// The tensors that `parameters` are, each a leaf whose one key is its name, in the order of their first leaves.
    func tensors(of parameters: ParameterVector) throws(WeightMappingProblem) -> ParameterVector {
        var names: [String] = []
        var parts: [String: [WeightAssignment]] = [:]
        for assignment in try assignments(for: parameters.layout) {
            if parts[assignment.tensor] == nil { names.append(assignment.tensor) }
            parts[assignment.tensor, default: []].append(assignment)
        }
        var shapes: [(path: TreePath, shape: [Int])] = []
        for name in names { shapes.append((TreePath([name]), try Self.shape(ofTensor: name, parts[name] ?? []))) }
        let layout: TreeLayout
        do throws(PyTreeError) {
            layout = try TreeLayout(shapes)
        } catch {
            // Single keys that differ, and as many elements as there are in leaves.
            fail(error.description)
        }
        var tensors = ParameterVector(zeros: layout)
        tensors.withUnsafeMutableValues { target in
            parameters.withUnsafeValues { source in
                for (name, leaf) in zip(names, layout.leaves) {
                    for part in parts[name] ?? [] {
                        let first = leaf.range.lowerBound + part.rows.lowerBound * part.rowCount
                        part.write(
                            UnsafeBufferPointer(rebasing: source[part.leaf.range]),
                            to: UnsafeMutableBufferPointer(rebasing: target[first..<first + part.leaf.range.count]))
                    }
                }
            }
        }
        return tensors
    }

    /// The shape of a tensor whose rows are written by `parts`. Throws unless each row is written once.
    private static func shape(
        ofTensor name: String, _ parts: [WeightAssignment]
    ) throws(WeightMappingProblem) -> [Int] {
        let sorted = parts.sorted { $0.rows.lowerBound < $1.rows.lowerBound }
        guard let first = sorted.first else { return [0] }
        var end = 0
        var last = first
        for part in sorted {
            let rows = part.rows
            guard part.shape.count == first.shape.count,
                part.shape.dropFirst().elementsEqual(first.shape.dropFirst())
            else {
                throw .rowShapesDiffer(
                    tensor: name, leaves: [first.leaf.path, part.leaf.path], shapes: [first.shape, part.shape])
            }
            if rows.lowerBound > end { throw .rowsLeftOut(tensor: name, rows: [end, rows.lowerBound]) }
            if rows.lowerBound < end {
                throw .rowsWrittenTwice(
                    tensor: name, row: rows.lowerBound, leaves: [last.leaf.path, part.leaf.path])
            }
            end = rows.upperBound
            last = part
        }
        return first.shape.isEmpty ? [] : [end] + first.shape.dropFirst()
    }
}

extension WeightAssignment {
    /// Writes the leaf's elements to the rows of the tensor that they are.
    fileprivate func write(_ leaf: UnsafeBufferPointer<Float>, to weight: UnsafeMutableBufferPointer<Float>) {
        if rule.order == .same {
            _ = weight.update(fromContentsOf: leaf)
        } else {
            rule.order.makeWeight(weight, ofKernel: leaf, outputs: shape[0])
        }
    }
}
