import Foundation
import PyTrees
import Testing

@testable import Datasets

/// What does not fit between a mapping, a file and leaves is an error that names both sides; nothing is written then.
@Suite struct WeightMappingProblemTests {
    private let folder: TemporaryFolder
    private let path: String

    /// A model of two leaves, and a file of two tensors that fit them, beside one of whole numbers that nobody needs.
    init() throws {
        folder = try TemporaryFolder()
        path = folder("f.safetensors")
        try write([("fc.weight", [2, 3], "F32"), ("fc.bias", [2], "F32"), ("steps", [1], "I32")])
    }

    private func write(_ tensors: [(String, [Int], String)]) throws {
        var position = 0
        let entries = tensors.map { name, shape, type in
            let end = position + shape.reduce(4, *)
            defer { position = end }
            return "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(position),\(end)]}"
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        _ = try folder.write(length + header + Array(repeating: 0, count: position), "f.safetensors")
    }

    private static func vector(_ leaves: [(path: TreePath, shape: [Int])]) throws -> ParameterVector {
        ParameterVector(repeating: 1, layout: try TreeLayout(leaves))
    }

    private let leaves: [(path: TreePath, shape: [Int])] = [("dense/kernel", [3, 2]), ("dense/bias", [2])]
    private let known: [TreePath] = ["dense/kernel", "dense/bias"]

    private static func rule(
        _ from: String, _ to: String, _ order: WeightMapping.Rule.Order = .same, rows: Range<Int>? = nil
    ) throws -> WeightMapping.Rule {
        try WeightMapping.Rule(from: from, to: to, order: order, rows: rows)
    }

    private func good() throws -> [WeightMapping.Rule] {
        [try Self.rule("fc.weight", "dense/kernel", .linear), try Self.rule("fc.bias", "dense/bias")]
    }

    private func readingProblem(
        _ mapping: WeightMapping, leaves: [(path: TreePath, shape: [Int])]? = nil
    ) throws -> WeightMappingProblem? {
        let vector = try Self.vector(leaves ?? self.leaves)
        let result = Result { () throws(FileError) in try SafeTensors.read(path, into: vector, by: mapping) }
        guard case .failure(let error) = result else { return nil }
        guard case .mapping(path, let problem) = error else {
            Issue.record("\(error)")
            return nil
        }
        return problem
    }

    @Test func theGoodMappingHasNoProblem() throws {
        #expect(try readingProblem(WeightMapping(good())) == nil)
        let read = try SafeTensors.read(path, into: Self.vector(leaves), by: WeightMapping(good()))
        #expect(read.unreadTensors == ["steps"])
    }

    @Test func missingLeavesAndTensorsAreNamed() throws {
        let good = try good()
        let cases: [(WeightMapping, WeightMappingProblem, says: [String])] = [
            (
                WeightMapping([good[0], try Self.rule("fc.bias", "dens/bias")]),
                .ruleWithoutLeaf(to: "dens/bias", from: "fc.bias", known: known),
                ["fc.bias", "dens/bias", "did you mean 'dense/bias'?"]
            ),
            (
                WeightMapping([good[0], try Self.rule("fc.offset", "dense/bias")]),
                .missingTensor("fc.offset", leaf: "dense/bias", known: ["fc.bias", "fc.weight", "steps"]),
                ["fc.offset", "dense/bias", "choose among 'fc.bias', 'fc.weight', 'steps'."]
            ),
            (
                // A star finds both, and the file has a tensor more than the model leaves.
                WeightMapping([good[0], try Self.rule("fc.*", "dense/*")], allowMissing: [.root]),
                .leafFilledTwice("dense/kernel", by: ["fc.weight", "fc.kernel"]),
                ["dense/kernel", "fc.weight", "fc.kernel"]
            ),
            (
                WeightMapping([try Self.rule("*.bias", "*/bias"), good[0]]),
                .missingLeaf("fc/bias", tensor: "fc.bias", known: known),
                ["fc.bias", "fc/bias", "choose among 'dense/kernel', 'dense/bias'."]
            ),
            (WeightMapping([good[0]]), .leavesLeftOut(["dense/bias"]), ["dense/bias", "allowMissing"]),
            (
                WeightMapping(good, allowMissing: ["head"]), .nothingToAllow("head", known: known),
                ["head", "dense/kernel"]
            ),
        ]
        for (mapping, problem, says) in cases {
            #expect(try readingProblem(mapping) == problem)
            for part in says { #expect(problem.description.contains(part), "\(problem)") }
        }
        // A rule that finds a tensor may miss another one; one that finds none is misspelled.
        let stars = try Self.rule("f*.bias", "d*/bias")
        let two: [(path: TreePath, shape: [Int])] = [("dc/bias", [2]), ("de/bias", [2])]
        #expect(
            try readingProblem(WeightMapping([stars]), leaves: two)
                == .missingTensor("fe.bias", leaf: "de/bias", known: ["fc.bias", "fc.weight", "steps"]))
        let lenient = WeightMapping([stars], allowMissing: ["de"])
        #expect(try readingProblem(lenient, leaves: two) == nil)
        #expect(try SafeTensors.read(path, into: Self.vector(two), by: lenient).keptLeaves == ["de/bias"])
        let misspelled = WeightMapping([try Self.rule("f*.bais", "d*/bias")], allowMissing: [.root])
        #expect(
            try readingProblem(misspelled, leaves: two)
                == .missingTensor("fc.bais", leaf: "dc/bias", known: ["fc.bias", "fc.weight", "steps"]))
        // Control: what allowMissing has is no problem.
        #expect(try readingProblem(WeightMapping([good[0]], allowMissing: ["dense/bias"])) == nil)
        #expect(try readingProblem(WeightMapping([good[0]], allowMissing: ["dense"])) == nil)
    }

    @Test func shapesThatDoNotFitAreNamed() throws {
        let (kernel, bias) = (leaves[0], leaves[1])
        func kernels(_ order: WeightMapping.Rule.Order, rows: Range<Int>? = nil) throws -> WeightMapping {
            WeightMapping([try Self.rule("fc.weight", "dense/kernel", order, rows: rows)])
        }
        let cases: [(WeightMapping, (path: TreePath, shape: [Int]), WeightMappingProblem, says: [String])] = [
            (
                try kernels(.same), kernel,
                .shapeMismatch(
                    tensor: "fc.weight", shape: [2, 3], rows: nil, expected: [3, 2], leaf: "dense/kernel",
                    leafShape: [3, 2]), ["fc.weight", "[2, 3]", "dense/kernel", "[3, 2]"]
            ),
            (
                try kernels(.linear, rows: 1..<3), kernel,
                .shapeMismatch(
                    tensor: "fc.weight", shape: [2, 3], rows: [1, 3], expected: [2, 3], leaf: "dense/kernel",
                    leafShape: [3, 2]), ["[1, 3]", "fc.weight", "dense/kernel"]
            ),
            (
                try kernels(.linear, rows: 0..<1), kernel,
                .rowsDoNotFit(
                    [0, 1], tensor: "fc.weight", leaf: "dense/kernel", leafShape: [3, 2], needed: 2),
                ["[0, 1]", "fc.weight", "dense/kernel", "[3, 2]", "2 of them"]
            ),
            (
                try kernels(.same, rows: 0..<1), ("dense/kernel", []),
                .rowsDoNotFit([0, 1], tensor: "fc.weight", leaf: "dense/kernel", leafShape: [], needed: nil),
                ["without rows"]
            ),
            (
                try kernels(.convolution(height: 2, width: 1)), kernel,
                .orderDoesNotFit("convolution", size: [2, 1], leaf: "dense/kernel", leafShape: [3, 2]),
                ["dense/kernel", "[3, 2]", "2 × 1"]
            ),
            (
                try kernels(.linear), ("dense/kernel", [6]),
                .orderDoesNotFit("linear", size: nil, leaf: "dense/kernel", leafShape: [6]), ["[inputs, outputs]"]
            ),
            (
                try kernels(.flattened(height: .max, width: .max)), kernel,
                .orderDoesNotFit("flattened", size: [.max, .max], leaf: "dense/kernel", leafShape: [3, 2]), []
            ),
        ]
        for (mapping, leaf, problem, says) in cases {
            #expect(try readingProblem(mapping, leaves: [leaf]) == problem)
            for part in says { #expect(problem.description.contains(part), "\(problem)") }
        }
        #expect(try readingProblem(kernels(.linear), leaves: [kernel]) == nil)
        let biases = WeightMapping([try Self.rule("fc.bias", "dense/bias", rows: 0..<2)])
        #expect(try readingProblem(biases, leaves: [bias]) == nil)
    }

    /// Of other types, only those that a leaf needs are errors.
    @Test func typesAreNamed() throws {
        let mapping = WeightMapping([try Self.rule("steps", "dense/bias")], allowMissing: [.root])
        let vector = try Self.vector([("dense/bias", [1])])
        let error = FileError.tensors(path: path, problem: .unsupportedType(name: "steps", type: "I32"))
        #expect(throws: error) { try SafeTensors.read(path, into: vector, by: mapping) }
        // The shapes of such tensors are nobody's promise, and overflow nothing.
        let header = #"{"steps":{"dtype":"F64","shape":[9223372036854775807,4],"data_offsets":[0,0]}}"#
        _ = try folder.write([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + header.utf8, "f.safetensors")
        let far = WeightMapping([try Self.rule("steps", "a", rows: (.max - 1)..<(.max))])
        #expect(throws: FileError.tensors(path: path, problem: .unsupportedType(name: "steps", type: "F64"))) {
            try SafeTensors.read(path, into: Self.vector([("a", [1, 4])]), by: far)
        }
    }

    @Test func rowsAreWrittenOnce() throws {
        let vector = try Self.vector([("a", [2, 3]), ("b", [2, 3]), ("c", [2]), ("d", []), ("e", [1])])
        func rules(_ parts: (String, Range<Int>?)...) throws -> WeightMapping {
            WeightMapping(
                try parts.map { try Self.rule("t", $0.0, rows: $0.1) }, allowMissing: [.root])
        }
        let cases: [(WeightMapping, WeightMappingProblem, says: [String])] = [
            (
                try rules(("a", 0..<2), ("b", 1..<3)), .rowsWrittenTwice(tensor: "t", row: 1, leaves: ["a", "b"]),
                ["row 1", "\"t\"", "'a', 'b'"]
            ),
            (try rules(("a", nil), ("b", nil)), .rowsWrittenTwice(tensor: "t", row: 0, leaves: ["a", "b"]), []),
            (try rules(("a", 0..<2), ("b", 3..<5)), .rowsLeftOut(tensor: "t", rows: [2, 3]), ["[2, 3]"]),
            (try rules(("b", 2..<4)), .rowsLeftOut(tensor: "t", rows: [0, 2]), ["\"t\"", "[0, 2]"]),
            (
                try rules(("a", 0..<2), ("c", 2..<4)),
                .rowShapesDiffer(tensor: "t", leaves: ["a", "c"], shapes: [[2, 3], [2]]), ["[2, 3]", "[2]", "'c'"]
            ),
            (
                try rules(("d", nil), ("e", 1..<2)),
                .rowShapesDiffer(tensor: "t", leaves: ["d", "e"], shapes: [[], [1]]), []
            ),
        ]
        let before = try FileContents.read(path)
        for (mapping, problem, says) in cases {
            #expect(throws: FileError.mapping(path: path, problem: problem)) {
                try SafeTensors.write(vector, by: mapping, to: path)
            }
            for part in says { #expect(problem.description.contains(part), "\(problem)") }
        }
        #expect(throws: FileError.mapping(path: path, problem: .leavesLeftOut(["b", "c", "d", "e"]))) {
            try SafeTensors.write(vector, by: WeightMapping([Self.rule("t", "a")]), to: path)
        }
        #expect(try FileContents.read(path) == before)
        // Control: rows that follow each other, in whatever order the rules are. Two leaves may be read from one.
        try SafeTensors.write(vector, by: rules(("b", 2..<4), ("a", 0..<2)), to: path)
        #expect(try SafeTensors.readTensors(path)["t"]?.shape == [4, 3])
        try SafeTensors.write(vector, by: rules(("a", nil)), to: path)
        #expect(throws: Never.self) { try SafeTensors.read(path, into: vector, by: rules(("a", nil), ("b", nil))) }
    }

    /// Many names are not all listed.
    @Test func longListsAreCut() {
        let problem = WeightMappingProblem.leavesLeftOut((0..<20).map { TreePath(["layer\($0)"]) })
        #expect(problem.description.contains("'layer7', … (20 in all)") && !problem.description.contains("layer8"))
        let hostile = WeightMappingProblem.missingTensor("a\u{1b}[2J", leaf: "b", known: [])
        #expect(hostile.description.contains("\\u{1b}") && hostile.description.contains("choose among none"))
    }
}
