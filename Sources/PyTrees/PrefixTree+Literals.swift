import Requirements

extension PrefixTree: ExpressibleByDictionaryLiteral {
    /// Children by key; traps if a key occurs twice.
    public init(dictionaryLiteral elements: (String, PrefixTree<Element>)...) {
        var children: [String: PrefixTree<Element>] = [:]
        for (key, child) in elements {
            require(
                children.updateValue(child, forKey: key) == nil,
                "The key \"\(key)\" occurs twice in a prefix tree: give each child one value.")
        }
        self = .children(children)
    }
}

extension PrefixTree: ExpressibleByIntegerLiteral where Element: ExpressibleByIntegerLiteral {
    /// One value for the whole subtree.
    public init(integerLiteral value: Element.IntegerLiteralType) {
        self = .value(Element(integerLiteral: value))
    }
}

extension PrefixTree: ExpressibleByFloatLiteral where Element: ExpressibleByFloatLiteral {
    /// One value for the whole subtree.
    public init(floatLiteral value: Element.FloatLiteralType) {
        self = .value(Element(floatLiteral: value))
    }
}

extension PrefixTree: ExpressibleByBooleanLiteral where Element: ExpressibleByBooleanLiteral {
    /// One value for the whole subtree.
    public init(booleanLiteral value: Element.BooleanLiteralType) {
        self = .value(Element(booleanLiteral: value))
    }
}
