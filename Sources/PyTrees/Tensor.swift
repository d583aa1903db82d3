import Requirements

/// An array of `Float` in row-major order: the usual leaf of a tree.
///
/// Compared as floating-point numbers are: `-0` equals `0`, and NaN equals nothing.
public struct Tensor: Hashable, Sendable {
    /// The dimensions, outermost first; `[]` for a single element. A dimension may be 0.
    public let shape: [Int]

    /// The elements in row-major order. Changes happen in place; one that changes the count traps.
    ///
    /// Traps for a parameter inside of a model's function: it stands for whatever values it will have, see
    /// `PyTree.standIn(for:)`.
    public var values: [Float] {
        get {
            requireValues()
            return storage
        }
        // Not a `didSet`: other modules would then change a copy and put it back.
        _modify {
            requireValues()
            defer {
                require(
                    storage.count == elementCount,
                    "A tensor of shape \(shape) holds \(elementCount) values and was given \(storage.count): "
                        + "make a new tensor to change its shape.")
            }
            yield &storage
        }
    }

    private var storage: [Float]
    private let elementCount: Int

    /// Which leaf of a layout the tensor stands for; nil for one that holds values.
    package private(set) var leafIndex: Int?

    private func requireValues() {
        require(
            leafIndex == nil,
            "A parameter of shape \(shape) has no values inside of a model's function, which is recorded once for all "
                + "values: compute with it by operations.")
    }

    /// What stands for leaf `leafIndex`.
    init(shape: [Int], elementCount: Int, leafIndex: Int) {
        self.shape = shape
        self.elementCount = elementCount
        self.leafIndex = leafIndex
        storage = []
    }

    /// An array of `shape` that holds `values`.
    ///
    /// Throws if `shape` has a negative dimension or does not describe `values`.
    public init(shape: [Int], values: [Float]) throws(PyTreeError) {
        let count = try PyTrees.elementCount(of: shape, at: nil)
        guard count == values.count else {
            throw .elementCountMismatch(path: nil, shape: shape, count: values.count)
        }
        self.init(shape: shape, uncheckedValues: values)
    }

    /// A vector: an array of shape `[values.count]`.
    public init(_ values: [Float]) {
        self.init(shape: [values.count], uncheckedValues: values)
    }

    /// An array of `shape` filled with zeros; traps if a dimension is negative or the number of elements overflows.
    public init(zeros shape: [Int]) {
        do throws(PyTreeError) {
            let count = try PyTrees.elementCount(of: shape, at: nil)
            self.init(shape: shape, uncheckedValues: [Float](repeating: 0, count: count))
        } catch {
            fail(error.description)
        }
    }

    init(shape: [Int], uncheckedValues: [Float]) {
        self.shape = shape
        storage = uncheckedValues
        elementCount = uncheckedValues.count
    }

    /// The element at `indices`, one for each dimension; traps if one is out of range.
    ///
    /// For single elements: loops run faster over ``values``.
    public subscript(indices: Int...) -> Float {
        get { values[offset(indices)] }
        set { values[offset(indices)] = newValue }
    }

    private func offset(_ indices: [Int]) -> Int {
        require(
            indices.count == shape.count && zip(indices, shape).allSatisfy { 0 <= $0 && $0 < $1 },
            "The indices \(indices) lie outside a tensor of shape \(shape): "
                + "give one index for each dimension, from 0 and below it.")
        return zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
    }
}

extension Tensor: PyTree {
    /// A leaf.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        if let standIn = try visitor.standIn(shape: shape, count: elementCount) {
            self = standIn
        } else {
            try visitor.visitLeaf(shape: shape, values: &values)
        }
    }
}

extension Tensor: CustomStringConvertible {
    /// The shape and a few elements: `float32[3,4] [[0.1, 0.2, 0.3, 0.4], …, [0.9, 1.0, 1.1, 1.2]]`.
    public var description: String { "\(shapeText(shape)) \(arrayText(shape: shape) { values[$0] })" }
}

extension Tensor: Codable {
    private enum CodingKeys: CodingKey {
        case shape, bitPatterns
    }

    /// Reads the shape and the bit patterns; throws if they do not fit together.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let shape = try container.decode([Int].self, forKey: .shape)
        let bitPatterns = try container.decode([UInt32].self, forKey: .bitPatterns)
        do throws(PyTreeError) {
            try self.init(shape: shape, values: bitPatterns.map(Float.init(bitPattern:)))
        } catch {
            throw error.decodingError(at: decoder.codingPath)
        }
    }

    /// Writes the shape, and the values as bit patterns, since JSON has neither NaN nor infinity.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(shape, forKey: .shape)
        try container.encode(values.map(\.bitPattern), forKey: .bitPatterns)
    }
}
