/// A value for every subtree of a tree: one value for all of it, or a prefix tree for each of its children.
///
/// Literals give it in the shape of the tree, as deep as the values differ:
///
///     let l2ClipNorms: PrefixTree<Double> = ["dense": ["bias": 0.5, "kernel": 2], "temperature": 0.1]
///
/// Its JSON has the same shape: a value, or an object of such. A value must therefore not be an object in JSON itself.
public enum PrefixTree<Element> {
    /// One value for all leaves of a subtree.
    case value(Element)

    /// Values for the children of a subtree, by key.
    case children([String: PrefixTree<Element>])

    /// The value that covers the leaf or subtree at `path`; nil if none does, or several lie below.
    public subscript(path: TreePath) -> Element? {
        var tree = self
        var keys = path.keys[...]
        while case .children(let children) = tree {
            guard let key = keys.popFirst(), let child = children[key] else { return nil }
            tree = child
        }
        guard case .value(let value) = tree else { return nil }
        return value
    }

    /// The prefix tree of the same structure that holds `transform` of each value, called in no particular order.
    public func map<Result, Failure: Error>(
        _ transform: (Element) throws(Failure) -> Result
    ) throws(Failure) -> PrefixTree<Result> {
        switch self {
        case .value(let value):
            return .value(try transform(value))
        case .children(let children):
            var result: [String: PrefixTree<Result>] = [:]
            for (key, child) in children {
                result[key] = try child.map(transform)
            }
            return .children(result)
        }
    }
}

extension PrefixTree: Sendable where Element: Sendable {}
extension PrefixTree: Equatable where Element: Equatable {}
extension PrefixTree: Hashable where Element: Hashable {}

extension PrefixTree: Decodable where Element: Decodable {
    /// Reads a value, or an object of prefix trees.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: ChildKey.self) {
            var children: [String: PrefixTree<Element>] = [:]
            for key in container.allKeys {
                children[key.stringValue] = try container.decode(PrefixTree<Element>.self, forKey: key)
            }
            self = .children(children)
        } else {
            self = .value(try decoder.singleValueContainer().decode(Element.self))
        }
    }
}

extension PrefixTree: Encodable where Element: Encodable {
    /// Writes a value, or an object of prefix trees.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .value(let value):
            var container = encoder.singleValueContainer()
            try container.encode(value)
        case .children(let children):
            var container = encoder.container(keyedBy: ChildKey.self)
            for (key, child) in children {
                try container.encode(child, forKey: ChildKey(stringValue: key))
            }
        }
    }
}

private struct ChildKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}
