extension Float: PyTree {
    /// A leaf of shape `[]`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visitLeaf(&self)
    }
}

extension Array: PyTree, ParameterStructure where Element: PyTree {
    /// Visits the elements under the keys `0`, `1`, ….
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        for index in indices {
            if visitor.isWriting {
                try visitor.visit(String(index), &self[index])
            } else {
                // Access in place would copy the whole array when it is shared, only to read it.
                var element = self[index]
                try visitor.visit(String(index), &element)
            }
        }
    }
}

extension Dictionary: PyTree, ParameterStructure where Key == String, Value: PyTree {
    /// Visits the values in the order of their keys: Swift's own order of strings, which knows no locale.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        for key in keys.sorted() {
            if visitor.isWriting {
                try visitor.visit(key, &self[key]!)
            } else {
                var value = self[key]!
                try visitor.visit(key, &value)
            }
        }
    }
}

extension Optional: PyTree, ParameterStructure where Wrapped: PyTree {
    /// Visits what is wrapped, under no key of its own; `nil` has no leaves.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try self?.visitChildren(&visitor)
    }
}
