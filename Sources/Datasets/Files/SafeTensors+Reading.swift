import Foundation
import PyTrees

extension SafeTensors {
    /// Reads the file at `path`; names are taken apart at their full stops, and leaves come in the order of their data.
    ///
    /// F32, F16 and BF16 become Float32, each value exactly. Beside the parameters, nothing of the file is in memory.
    ///
    /// Throws ``FileError`` if the file cannot be read, has more than `limit` bytes, breaks the format, has a tensor of
    /// another type, or if its names are no tree's.
    public static func read(_ path: String, limit: Int = FileContents.usualLimit) throws(FileError) -> Contents {
        let file = try SafeTensorsFile(path, limit: limit)
        let tensors = file.header.tensors
        let layout = try file.naming { () throws(SafeTensorsProblem) in
            try makeLayout(of: tensors) { name in
                name.isEmpty
                    ? .root : TreePath(name.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
            }
        }
        return Contents(
            parameters: try vector(of: tensors, layout: layout, in: file), metadata: file.header.metadata)
    }

    /// Reads the file at `path` into `layout`, in whatever order the file holds its tensors.
    ///
    /// Throws ``FileError`` as ``read(_:limit:)`` does, and if the tensors are not exactly the layout's leaves.
    public static func read(
        _ path: String, as layout: TreeLayout, limit: Int = FileContents.usualLimit
    ) throws(FileError) -> Contents {
        let file = try SafeTensorsFile(path, limit: limit)
        var found = Dictionary(uniqueKeysWithValues: file.header.tensors.map { ($0.name, $0) })
        let tensors = try file.naming { () throws(SafeTensorsProblem) in
            var tensors: [SafeTensorsHeader.Tensor] = []
            var names: Set<String> = []
            for leaf in layout.leaves {
                let name = name(of: leaf)
                guard names.insert(name).inserted else { throw .ambiguousName(name) }
                guard let tensor = found.removeValue(forKey: name) else { throw .missingTensor(name) }
                guard tensor.shape == leaf.shape else {
                    throw .shapeMismatch(name: name, shape: tensor.shape, expected: leaf.shape)
                }
                tensors.append(tensor)
            }
            if let name = found.keys.min() { throw .unexpectedTensor(name) }
            return tensors
        }
        return Contents(
            parameters: try vector(of: tensors, layout: layout, in: file), metadata: file.header.metadata)
    }

    /// Reads all tensors of the file at `path`, by name, whatever their names are.
    ///
    /// Throws ``FileError`` as ``read(_:limit:)`` does, but for names.
    public static func readTensors(
        _ path: String, limit: Int = FileContents.usualLimit
    ) throws(FileError) -> [String: Tensor] {
        let file = try SafeTensorsFile(path, limit: limit)
        // Before any of them is allocated: together they can have more elements than `Int` counts.
        _ = try file.naming { () throws(SafeTensorsProblem) in
            try makeLayout(of: file.header.tensors) { TreePath([$0]) }
        }
        var tensors: [String: Tensor] = [:]
        for tensor in file.header.tensors {
            var values = Tensor(zeros: tensor.shape)
            try values.values.withUnsafeMutableBufferPointer { (target) throws(FileError) in
                try file.read(tensor, into: target)
            }
            tensors[tensor.name] = values
        }
        return tensors
    }

    /// A layout with a leaf for each of `tensors`. Throws if a type is not read, or there is no such layout.
    private static func makeLayout(
        of tensors: [SafeTensorsHeader.Tensor], path: (String) -> TreePath
    ) throws(SafeTensorsProblem) -> TreeLayout {
        for tensor in tensors { _ = try tensor.element() }
        do throws(PyTreeError) {
            return try TreeLayout(tensors.map { (path($0.name), $0.shape) })
        } catch {
            throw .noTree(error)
        }
    }

    private static func vector(
        of tensors: [SafeTensorsHeader.Tensor], layout: TreeLayout, in file: borrowing SafeTensorsFile
    ) throws(FileError) -> ParameterVector {
        var vector = ParameterVector(zeros: layout)
        try vector.withUnsafeMutableValues { (values) throws(FileError) in
            for (leaf, tensor) in zip(layout.leaves, tensors) {
                try file.read(tensor, into: UnsafeMutableBufferPointer(rebasing: values[leaf.range]))
            }
        }
        return vector
    }
}
