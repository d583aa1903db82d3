import Foundation
import PyTrees
import Testing

@testable import Datasets

/// Reading and writing by a mapping.
@Suite struct WeightMappingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func layout(_ leaves: [(TreePath, [Int])]) throws -> TreeLayout {
        try TreeLayout(leaves.map { (path: $0.0, shape: $0.1) })
    }

    /// A vector of 0, 1, 2, … in the layout.
    private static func counting(_ leaves: [(TreePath, [Int])]) throws -> ParameterVector {
        let layout = try layout(leaves)
        return try ParameterVector(values: (0..<layout.count).map(Float.init), layout: layout)
    }

    /// A file of tensors that count on from one to the next, each from its own hundred.
    private func file(_ tensors: [(String, [Int])]) throws -> String {
        let layout = try TreeLayout(tensors.map { (TreePath([$0.0]), $0.1) })
        var values: [Float] = []
        for (index, leaf) in layout.leaves.enumerated() {
            values += (0..<leaf.range.count).map { Float(100 * index + $0) }
        }
        let path = folder("f.safetensors")
        try SafeTensors.write(try ParameterVector(values: values, layout: layout), to: path)
        return path
    }

    /// Rules by hand: [out, in] = [[0, 1, 2], [3, 4, 5]] is transposed; query, key and value come out of one tensor.
    @Test func ordersAndRowsAreTakenApart() throws {
        let path = try file([
            ("layers.0.fc.weight", [2, 3]), ("layers.0.fc.bias", [2]), ("layers.0.in_proj", [6, 2]),
            ("layers.0.in_proj_bias", [6]), ("embed", [2, 3]),
        ])
        let start = try Self.counting([
            ("blocks/0/dense/kernel", [3, 2]), ("blocks/0/dense/bias", [2]), ("blocks/0/query/kernel", [2, 2]),
            ("blocks/0/key/kernel", [2, 2]), ("blocks/0/value/kernel", [2, 2]), ("blocks/0/value/bias", [2]),
            ("table", [2, 3]),
        ])
        let mapping = try WeightMapping(
            [
                .init(from: "layers.*.fc.weight", to: "blocks/*/dense/kernel", order: .linear),
                .init(from: "layers.*.fc.bias", to: "blocks/*/dense/bias", order: .same),
                .init(from: "layers.*.in_proj", to: "blocks/*/query/kernel", order: .linear, rows: 0..<2),
                .init(from: "layers.*.in_proj", to: "blocks/*/key/kernel", order: .linear, rows: 2..<4),
                .init(from: "layers.*.in_proj_bias", to: "blocks/*/value/bias", order: .same, rows: 4..<6),
                .init(from: "embed", to: "table", order: .same),
            ], allowMissing: ["blocks/0/value/kernel"])
        let read = try SafeTensors.read(path, into: start, by: mapping)
        let values = read.parameters
        #expect(values["blocks/0/dense/kernel"].values == [0, 3, 1, 4, 2, 5])
        #expect(values["blocks/0/dense/bias"].values == [100, 101])
        #expect(values["blocks/0/query/kernel"].values == [200, 202, 201, 203])
        #expect(values["blocks/0/key/kernel"].values == [204, 206, 205, 207])
        #expect(values["blocks/0/value/bias"].values == [304, 305])
        #expect(values["table"].values == [400, 401, 402, 403, 404, 405])
        #expect(values["blocks/0/value/kernel"] == start["blocks/0/value/kernel"])
        #expect(read.keptLeaves == ["blocks/0/value/kernel"])
        #expect(read.unreadTensors.isEmpty)
    }

    /// [out, channels, height, width] of 1 × 2 pixels and 2 channels: pixel by pixel, channel by channel.
    @Test func imagesAreTurnedFromChannelsFirstToChannelsLast() throws {
        let path = try file([("conv.weight", [2, 2, 1, 2]), ("fc.weight", [1, 4])])
        let start = try Self.counting([("conv/kernel", [4, 2]), ("dense/kernel", [4, 1])])
        let mapping = try WeightMapping([
            .init(from: "conv.weight", to: "conv/kernel", order: .convolution(height: 1, width: 2)),
            .init(from: "fc.weight", to: "dense/kernel", order: .flattened(height: 1, width: 2)),
        ])
        let values = try SafeTensors.read(path, into: start, by: mapping).parameters
        #expect(values["conv/kernel"].values == [0, 4, 2, 6, 1, 5, 3, 7])
        #expect(values["dense/kernel"].values == [100, 102, 101, 103])
    }

    private static let everything: [(TreePath, [Int])] = [
        ("conv1/kernel", [2 * 3 * 5, 7]), ("conv1/bias", [7]), ("blocks/0/q", [4, 19]), ("blocks/0/k", [4, 3]),
        ("blocks/1/q", [4, 19]), ("blocks/1/k", [4, 3]), ("dense/kernel", [12, 33]), ("table", [5, 4]),
        ("scale", []), ("none", [0, 3]), ("adapter/a", [4, 2]), ("adapter/b", [2, 4]),
    ]

    private static let rules: [WeightMapping.Rule] = {
        do {
            return try [
                .init(from: "conv*.weight", to: "conv*/kernel", order: .convolution(height: 2, width: 3)),
                .init(from: "conv*.bias", to: "conv*/bias", order: .same),
                .init(from: "l.*.proj", to: "blocks/*/q", order: .linear, rows: 3..<22),
                .init(from: "l.*.proj", to: "blocks/*/k", order: .linear, rows: 0..<3),
                .init(from: "fc", to: "dense/kernel", order: .flattened(height: 2, width: 2)),
                .init(from: "table", to: "table", order: .same), .init(from: "scale", to: "scale", order: .same),
                .init(from: "none", to: "none", order: .same),
                .init(from: "lora.*", to: "adapter/*", order: .linear),
            ]
        } catch {
            fatalError("\(error)")
        }
    }()

    private static func random(_ layout: TreeLayout) throws -> ParameterVector {
        var generator = SeededGenerator(seed: 7)
        // Any bits: NaN, infinities and subnormal numbers too.
        let values = (0..<layout.count).map { _ in Float(bitPattern: UInt32.random(in: 0 ... .max, using: &generator)) }
        return try ParameterVector(values: values, layout: layout)
    }

    private static func bits(_ vector: ParameterVector) -> [UInt32] { vector.values.map(\.bitPattern) }

    /// Each order, fused rows, single numbers and empty leaves, in every bit.
    @Test func whatIsWrittenIsReadInEveryBit() throws {
        let parameters = try Self.random(Self.layout(Self.everything))
        let mapping = WeightMapping(Self.rules)
        let path = folder("f.safetensors")
        try SafeTensors.write(parameters, by: mapping, metadata: ["format": "pt"], to: path)
        let shapes = try SafeTensors.readTensors(path).mapValues(\.shape)
        #expect(
            shapes == [
                "conv1.weight": [7, 5, 2, 3], "conv1.bias": [7], "l.0.proj": [22, 4], "l.1.proj": [22, 4],
                "fc": [33, 12], "table": [5, 4], "scale": [], "none": [0, 3], "lora.a": [2, 4], "lora.b": [4, 2],
            ])
        let read = try SafeTensors.read(path, into: ParameterVector(zeros: parameters.layout), by: mapping)
        #expect(Self.bits(read.parameters) == Self.bits(parameters))
        #expect(read.keptLeaves.isEmpty && read.unreadTensors.isEmpty && read.metadata == ["format": "pt"])
        // Written again, it is the same file.
        try SafeTensors.write(read.parameters, by: mapping, metadata: ["format": "pt"], to: folder("again"))
        #expect(try FileContents.read(path) == FileContents.read(folder("again")))

        // Controls: the wrong order of a square kernel, and of an image's pixels, reads without an error, and wrongly.
        for order: WeightMapping.Rule.Order in [.same, .flattened(height: 2, width: 2)] {
            let square = try Self.random(Self.layout([("k", [8, 8])]))
            let right = WeightMapping([try .init(from: "w", to: "k", order: .linear)])
            let wrong = WeightMapping([try .init(from: "w", to: "k", order: order)])
            try SafeTensors.write(square, by: right, to: path)
            let back = try SafeTensors.read(path, into: square, by: wrong)
            #expect(Self.bits(back.parameters) != Self.bits(square))
            #expect(Self.bits(try SafeTensors.read(path, into: square, by: right).parameters) == Self.bits(square))
        }
    }

    /// Adapters alone go into a file, and come back into another model, whose other leaves stay.
    @Test func adaptersAloneAreWritten() throws {
        let parameters = try Self.random(Self.layout(Self.everything))
        let mapping = WeightMapping([Self.rules[8]], allowMissing: [.root])
        let path = folder("adapter.safetensors")
        try SafeTensors.write(parameters, by: mapping, to: path)
        #expect(try Set(SafeTensors.readTensors(path).keys) == ["lora.a", "lora.b"])
        let other = ParameterVector(repeating: 3, layout: parameters.layout)
        let read = try SafeTensors.read(path, into: other, by: mapping)
        for leaf in parameters.layout.leaves {
            let source = leaf.path.keys[0] == "adapter" ? parameters : other
            #expect(Self.bits(read.parameters)[leaf.range] == Self.bits(source)[leaf.range])
        }
        #expect(read.keptLeaves == parameters.layout.leaves.map(\.path).dropLast(2))
    }

    @Test func aTreeIsReadAndWritten() throws {
        let model = NestedModel(seed: 4)
        let mapping = try WeightMapping([
            .init(from: "h.*.weight", to: "blocks/*/kernel", order: .linear),
            .init(from: "h.*.bias", to: "blocks/*/bias", order: .same),
            .init(from: "score", to: "heads/score", order: .same), .init(from: "offset", to: "offset", order: .same),
        ])
        let path = folder("model.safetensors")
        try SafeTensors.write(model, by: mapping, to: path)
        #expect(try SafeTensors.read(path, into: NestedModel(seed: 5), by: mapping).parameters == model)
        #expect(try SafeTensors.readTensors(path)["h.0.weight"]?.shape == [3, 2])
    }
}
