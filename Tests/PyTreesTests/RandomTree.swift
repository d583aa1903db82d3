import PyTrees

/// A tree of any structure. It keeps its children in enum payloads, so it writes back what it visited.
indirect enum RandomTree: PyTree {
    case scalar(Float)
    case tensor(Tensor)
    case list([RandomTree])
    case named([String: RandomTree])
    case optional(RandomTree?)

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        switch self {
        case .scalar(var value):
            try value.visitChildren(&visitor)
            self = .scalar(value)
        case .tensor(var tensor):
            try tensor.visitChildren(&visitor)
            self = .tensor(tensor)
        case .list(var list):
            try list.visitChildren(&visitor)
            self = .list(list)
        case .named(var named):
            try named.visitChildren(&visitor)
            self = .named(named)
        case .optional(var optional):
            try optional.visitChildren(&visitor)
            self = .optional(optional)
        }
    }

    /// The expected layout and bits, worked out without a visitor.
    func lines(under keys: [String] = []) -> [(path: TreePath, shape: [Int], bits: [UInt32])] {
        switch self {
        case .scalar(let value): [(TreePath(keys), [], [value.bitPattern])]
        case .tensor(let tensor): [(TreePath(keys), tensor.shape, tensor.values.bits)]
        case .list(let list): list.enumerated().flatMap { $1.lines(under: keys + ["\($0)"]) }
        case .named(let named):
            named.sorted { $0.key < $1.key }.flatMap { $1.lines(under: keys + [$0]) }
        case .optional(let optional): optional?.lines(under: keys) ?? []
        }
    }

    /// The same structure with every value overwritten.
    func erased() -> RandomTree {
        switch self {
        case .scalar: .scalar(1)
        case .tensor(let tensor): .tensor(Tensor(zeros: tensor.shape))
        case .list(let list): .list(list.map { $0.erased() })
        case .named(let named): .named(named.mapValues { $0.erased() })
        case .optional(let optional): .optional(optional.map { $0.erased() })
        }
    }

    static let keys = [
        "kernel", "bias", "a/b", "~", "", " ", "line\nfeed", "e\u{301}", "\u{338}", "Ω", "10", "9", "{}",
    ]

    static func random(depth: Int, from generator: inout SeededGenerator) -> RandomTree {
        switch Int.random(in: depth == 0 ? 0...2 : 0...7, using: &generator) {
        case 0:
            return .scalar(.random(from: &generator))
        case 1, 2:
            let shape = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                Int.random(in: 0...3, using: &generator)
            }
            let values = (0..<shape.reduce(1, *)).map { _ in Float.random(from: &generator) }
            return .tensor(try! Tensor(shape: shape, values: values))
        case 3, 4:
            return .list(
                (0..<Int.random(in: 0...11, using: &generator)).map { _ in random(depth: depth - 1, from: &generator) })
        case 5, 6:
            let keys = keys.shuffled(using: &generator).prefix(Int.random(in: 0...5, using: &generator))
            return .named(
                Dictionary(uniqueKeysWithValues: keys.map { ($0, random(depth: depth - 1, from: &generator)) }))
        default:
            let isNil = Bool.random(using: &generator)
            return .optional(isNil ? nil : random(depth: depth - 1, from: &generator))
        }
    }
}
