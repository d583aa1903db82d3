extension TreeLayout: LosslessStringConvertible {
    /// The textual form: for each leaf a line such as `dense/kernel float32[3,4]`, in layout order.
    ///
    /// An empty subtree is a line such as `layers {}`. A tree that is itself a leaf has no path before the shape. Lines
    /// are separated by a line feed, and the last one has none.
    public var description: String {
        entries.map(\.line).joined(separator: "\n")
    }

    /// The layout of which `description` is the textual form; nil if there is none.
    public init?(_ description: String) {
        do throws(PyTreeError) {
            try self.init(parsing: description)
        } catch {
            return nil
        }
    }

    /// The layout of which `text` is the textual form, with or without a line feed at its end.
    ///
    /// Throws and names the line if it is malformed; throws what a list of paths and shapes throws.
    public init(parsing text: String) throws(PyTreeError) {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        if lines == [""] { lines = [] }
        var entries: [Entry] = []
        for (index, line) in lines.enumerated() {
            guard let entry = Entry(line: line) else { throw .malformedLine(number: index + 1, text: line) }
            entries.append(entry)
        }
        try self.init(entries: entries)
    }
}

extension TreeLayout.Leaf: CustomStringConvertible {
    /// The path and the shape, such as `dense/kernel float32[3,4]`.
    public var description: String {
        TreeLayout.Entry.leaf(path, shape: shape).line
    }
}

extension TreeLayout.Entry {
    fileprivate var line: String {
        let (path, kind) =
            switch self {
            case .leaf(let path, let shape): (path, shapeText(shape))
            case .emptySubtree(let path): (path, "{}")
            }
        return path.keys.isEmpty ? kind : "\(path) \(kind)"
    }

    fileprivate init?(line: String) {
        let scalars = line.unicodeScalars
        let space = scalars.lastIndex(of: " ")
        let kind = space.map { scalars[scalars.index(after: $0)...] } ?? scalars[...]
        guard let path = TreePath(text: space.map { String(scalars[..<$0]) } ?? "") else { return nil }
        if kind.elementsEqual("{}".unicodeScalars) {
            self = .emptySubtree(path)
        } else {
            let prefix = "float32[".unicodeScalars
            guard kind.starts(with: prefix), kind.last == "]" else { return nil }
            let list = kind.dropFirst(prefix.count).dropLast()
            let dimensions = list.isEmpty ? [] : list.split(separator: ",", omittingEmptySubsequences: false)
            let shape = dimensions.compactMap { Int(String($0)) }
            guard shape.count == dimensions.count else { return nil }
            self = .leaf(path, shape: shape)
        }
        // One spelling for each layout: no "+3" or "03", no root with a space before it.
        guard self.line.utf8.elementsEqual(line.utf8) else { return nil }
    }
}
