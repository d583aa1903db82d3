import Requirements

extension ParameterVector {
    /// A copy of the leaf at `path`; throws if there is none.
    /// - Complexity: O(depth + elements of the leaf).
    public func tensor(at path: TreePath) throws(PyTreeError) -> Tensor {
        guard let leaf = layout[path] else { throw .unknownLeaf(path) }
        return Tensor(shape: leaf.shape, uncheckedValues: Array(values[leaf.range]))
    }

    /// Overwrites the leaf at `path` in place; throws if there is none, or it has another shape.
    /// - Complexity: O(depth + elements of the leaf), and one copy of the vector if another one shares its values.
    public mutating func setTensor(_ tensor: Tensor, at path: TreePath) throws(PyTreeError) {
        guard let leaf = layout[path] else { throw .unknownLeaf(path) }
        guard leaf.shape == tensor.shape else {
            throw .shapeMismatch(path: path, shape: tensor.shape, expected: leaf.shape)
        }
        withUnsafeMutableValues { values in
            _ = UnsafeMutableBufferPointer(rebasing: values[leaf.range]).update(fromContentsOf: tensor.values)
        }
    }

    /// The leaf at `path`; traps if there is none, or if it is set to another shape.
    ///
    /// Changing an element through it copies the leaf out and back in: change many through
    /// ``withUnsafeMutableValues(_:)``.
    public subscript(path: TreePath) -> Tensor {
        get {
            do throws(PyTreeError) {
                return try tensor(at: path)
            } catch {
                fail(error.description)
            }
        }
        set {
            do throws(PyTreeError) {
                try setTensor(newValue, at: path)
            } catch {
                fail(error.description)
            }
        }
    }
}

extension ParameterVector: CustomStringConvertible {
    /// A line for each leaf, with its path, its shape and a few elements:
    /// `dense/bias float32[10] [0.1, 0.2, 0.3, …, 0.8, 0.9, 1.0]`.
    public var description: String {
        layout.leaves.map { leaf in
            "\(leaf) \(arrayText(shape: leaf.shape) { values[leaf.range.lowerBound + $0] })"
        }.joined(separator: "\n")
    }
}

extension ParameterVector: Codable {
    private enum CodingKeys: CodingKey {
        case layout, bitPatterns, stored
    }

    /// Reads the layout and the bit patterns; throws if they do not fit together.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let store = decoder.userInfo[.vectorStore] as? VectorStore {
            let place = try container.decode(Int.self, forKey: .stored)
            guard let vector = store[place] else {
                throw DecodingError.dataCorruptedError(
                    forKey: .stored, in: container,
                    debugDescription: "There is no vector \(place) among the \(store.vectors.count) stored ones.")
            }
            self = vector
            return
        }
        let layout = try container.decode(TreeLayout.self, forKey: .layout)
        let bitPatterns = try container.decode([UInt32].self, forKey: .bitPatterns)
        do throws(PyTreeError) {
            try self.init(values: bitPatterns.map(Float.init(bitPattern:)), layout: layout)
        } catch {
            throw error.decodingError(at: decoder.codingPath)
        }
    }

    /// Writes the layout, and the values as bit patterns, since JSON has neither NaN nor infinity.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let store = encoder.userInfo[.vectorStore] as? VectorStore {
            return try container.encode(store.append(self), forKey: .stored)
        }
        try container.encode(layout, forKey: .layout)
        try container.encode(values.map(\.bitPattern), forKey: .bitPatterns)
    }
}
