/// The keys that lead from the root of a tree to a subtree or a leaf.
///
/// The textual form joins the keys with `/`, as in `dense/kernel`; the root's is empty. As in a JSON Pointer
/// (RFC 6901), `~1` stands for `/` and `~0` for `~` within a key. Moreover `~2` stands for an empty key, and `~u{A}`,
/// with the scalar's number in hexadecimal, for a control character or a line or paragraph separator, so that the
/// text of a path is never empty for want of a key and never longer than a line.
///
/// Keys are compared as Swift compares strings, by canonical equivalence and without a locale.
public struct TreePath: Hashable, Sendable {
    /// The keys from the root downwards; empty for the root.
    public let keys: [String]

    /// The path that leads over `keys`, which are taken as they are: nothing in them is an escape.
    public init(_ keys: [String]) {
        self.keys = keys
    }

    /// The path of the whole tree.
    public static let root = TreePath([String]())

    /// The path of the child `key` of this path's subtree.
    public func appending(_ key: String) -> TreePath {
        TreePath(keys + CollectionOfOne(key))
    }

    /// Whether `other` is this path or lies below it.
    public func isPrefix(of other: TreePath) -> Bool {
        other.keys.starts(with: keys)
    }
}

extension TreePath: Comparable {
    /// Compares key by key; a path comes before those below it.
    public static func < (left: TreePath, right: TreePath) -> Bool {
        left.keys.lexicographicallyPrecedes(right.keys)
    }
}
