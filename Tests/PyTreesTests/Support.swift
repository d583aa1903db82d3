import Foundation
import PyTrees
@_exported import _TestSupport

extension Float {
    /// Bit patterns that arithmetic, comparison or printing would not preserve.
    static let fragile: [Float] = [
        -0.0, 0, .nan, -.nan, Float(nan: 0x1234, signaling: false), Float(nan: 7, signaling: true), .infinity,
        -.infinity, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
    ]

    static func random(from generator: inout SeededGenerator) -> Float {
        Bool.random(using: &generator)
            ? fragile.randomElement(using: &generator)!
            : Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
    }
}

struct Dense: PyTree, Equatable {
    var kernel: Tensor
    var bias: Tensor

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("kernel", &kernel)
        try visitor.visit("bias", &bias)
    }
}

struct Model: PyTree, Equatable {
    var dense: Dense
    var layers: [Dense] = []
    var extra: Dense?
    var temperature: Float = 0

    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("dense", &dense)
        try visitor.visit("layers", &layers)
        try visitor.visit("extra", &extra)
        try visitor.visit("temperature", &temperature)
    }

    static let example = Model(
        dense: Dense(kernel: counting([3, 4], from: 0), bias: counting([4], from: 12)), temperature: 16)

    static let exampleText = """
        dense/kernel float32[3,4]
        dense/bias float32[4]
        layers {}
        extra {}
        temperature float32[]
        """
}

func counting(_ shape: [Int], from first: Int) -> Tensor {
    var tensor = Tensor(zeros: shape)
    for index in tensor.values.indices { tensor.values[index] = Float(first + index) }
    return tensor
}

/// Encodes and decodes as JSON; a list around it, because old JSON coders refuse bare values.
func throughJSON<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode([Value].self, from: JSONEncoder().encode([value]))[0]
}

func fromJSON<Value: Decodable>(_: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(text.utf8))
}
