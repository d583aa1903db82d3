import PyTrees

/// A name or a path with stars: each stands for a text of its own that is not empty, within one part.
struct WeightPattern: Hashable, Sendable {
    /// A part is what stands before its star, and what stands behind it; nil for a part without a star.
    private struct Part: Hashable, Sendable {
        let prefix: String
        let suffix: String?

        func capture(_ text: String) -> String? {
            guard let suffix, text.hasPrefix(prefix), text.hasSuffix(suffix),
                text.count > prefix.count + suffix.count
            else { return nil }
            return String(text.dropFirst(prefix.count).dropLast(suffix.count))
        }
    }

    private let parts: [Part]

    /// The parts of a tensor's name, between full stops. Throws if one has several stars.
    init(name: String) throws(WeightMappingProblem) { try self.init(Self.parts(ofName: name), text: name) }

    /// The keys of a path. Throws if one has several stars.
    init(path: TreePath) throws(WeightMappingProblem) { try self.init(path.keys, text: path.description) }

    private init(_ parts: [String], text: String) throws(WeightMappingProblem) {
        var read: [Part] = []
        for part in parts {
            let pieces = part.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
            guard pieces.count <= 2 else { throw .severalStars(part: part, text: text) }
            read.append(Part(prefix: pieces[0], suffix: pieces.count == 2 ? pieces[1] : nil))
        }
        self.parts = read
    }

    /// The parts of a tensor's name.
    static func parts(ofName name: String) -> [String] {
        name.isEmpty ? [] : name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    var starCount: Int { parts.count { $0.suffix != nil } }

    /// What the stars stand for in a text of these parts; nil if the pattern is not the text's.
    func captures(in texts: [String]) -> [String]? {
        guard texts.count == parts.count else { return nil }
        var captures: [String] = []
        for (part, text) in zip(parts, texts) {
            if part.suffix == nil {
                if text != part.prefix { return nil }
            } else {
                guard let capture = part.capture(text) else { return nil }
                captures.append(capture)
            }
        }
        return captures
    }

    /// The parts of the text whose stars stand for `captures`, as many as there are stars.
    func filled(with captures: [String]) -> [String] {
        var rest = captures[...]
        return parts.map { part in part.suffix.map { part.prefix + rest.removeFirst() + $0 } ?? part.prefix }
    }
}
