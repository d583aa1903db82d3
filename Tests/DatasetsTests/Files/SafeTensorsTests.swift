import Foundation
import PyTrees
import Testing

@testable import Datasets

@Suite struct SafeTensorsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func layout(_ leaves: (path: TreePath, shape: [Int])...) throws -> TreeLayout { try TreeLayout(leaves) }

    @Test func bitsComeBackAsTheyWere() throws {
        let layout = try layout(
            ("dense/kernel", [2, 3]), ("dense/bias", [3]), ("empty", [0, 4]), ("temperature", []))
        let patterns: [UInt32] = [
            0x7fc0_0001, 0x7f80_0001, 0xffff_ffff, 0x0000_0001, 0x807f_ffff, 0x8000_0000, 0x7f80_0000, 0xff80_0000,
            0x7f7f_ffff, 0x3f80_0000,
        ]
        let vector = try ParameterVector(values: patterns.map(Float.init(bitPattern:)), layout: layout)
        let metadata = ["note": "a \"quoted\" \\ line\nand \u{1} é 😀", "": "", "format": "pt"]
        let path = folder("model.safetensors")
        try SafeTensors.write(vector, metadata: metadata, to: path)
        for contents in [try SafeTensors.read(path), try SafeTensors.read(path, as: layout)] {
            #expect(contents.parameters.layout == layout)
            #expect(contents.parameters.values.map(\.bitPattern) == patterns)
            #expect(contents.metadata == metadata)
        }
    }

    @Test func theBytesAreTheFormats() throws {
        let vector = try ParameterVector(values: [1, -2], layout: layout(("a/b", [1, 2])))
        let path = folder("model.safetensors")
        try SafeTensors.write(vector, to: path)
        let header = #"{"a.b":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}      "#
        #expect(header.utf8.count == 64)
        #expect(
            try FileContents.read(path)
                == [64, 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
    }

    /// What the reader would refuse is not written, whether keys, values or names make it too long.
    @Test func aHeaderBeyondTheFormatsLimitIsNotWritten() throws {
        let path = try folder.write("before", "model.safetensors")
        let vector = ParameterVector(zeros: try layout(("a", [1])))
        let long = String(repeating: "k", count: 100_000_001)
        for metadata in [["note": long], [long: ""]] {
            let error = #expect(throws: FileError.self) { try SafeTensors.write(vector, metadata: metadata, to: path) }
            guard case .tensors(path, .headerTooLong(_, 100_000_000)) = error else {
                Issue.record("\(String(describing: error).prefix(200))")
                continue
            }
        }
        #expect(try FileContents.read(path) == Array("before".utf8))
        #expect(try folder.names == ["model.safetensors"])

        // To the byte: as many bytes as are allowed are written, and not one more. Escapes count.
        let layouts = [vector.layout, try layout((TreePath([String(repeating: "n", count: 900)]), [1]))]
        for (layout, metadata) in zip(layouts, [["note": String(repeating: "\u{1}", count: 150)], [:]]) {
            let data = try SafeTensors.encode(ParameterVector(zeros: layout), metadata: metadata)
            let length = data[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
            let same = try SafeTensors.encode(ParameterVector(zeros: layout), metadata: metadata, headerLimit: length)
            #expect(same == data)
            #expect(throws: SafeTensorsProblem.headerTooLong(length: length, limit: length - 1)) {
                try SafeTensors.encode(ParameterVector(zeros: layout), metadata: metadata, headerLimit: length - 1)
            }
        }
    }

    @Test func anEmptyVectorAndARootLeaf() throws {
        for layout in [try layout(), try layout((.root, [2]))] {
            let path = folder("model.safetensors")
            try SafeTensors.write(ParameterVector(repeating: 3, layout: layout), to: path)
            #expect(try SafeTensors.read(path).parameters == ParameterVector(repeating: 3, layout: layout))
        }
    }

    @Test func theLayoutMayHaveAnotherOrder() throws {
        let path = folder("model.safetensors")
        try SafeTensors.write(try ParameterVector(values: [1, 2, 3], layout: layout(("a", [1]), ("b", [2]))), to: path)
        let other = try layout(("b", [2]), ("a", [1]))
        #expect(try SafeTensors.read(path, as: other).parameters.values == [2, 3, 1])
    }

    @Test func keysWithFullStopsNeedTheLayout() throws {
        let path = folder("model.safetensors")
        let dotted = try ParameterVector(values: [1, 2], layout: layout(("layers.0/w", [1]), ("layers.1/w", [1])))
        try SafeTensors.write(dotted, to: path)
        #expect(try SafeTensors.read(path, as: dotted.layout).parameters == dotted)
        #expect(try SafeTensors.read(path).parameters.layout.leaves[0].path == "layers/0/w")
        let ambiguous = ParameterVector(zeros: try layout(("a.b", [1]), ("a/b", [1])))
        #expect(throws: FileError.tensors(path: path, problem: .ambiguousName("a.b"))) {
            try SafeTensors.write(ambiguous, to: path)
        }
        let reserved = ParameterVector(zeros: try layout(("__metadata__", [1])))
        #expect(throws: FileError.tensors(path: path, problem: .ambiguousName("__metadata__"))) {
            try SafeTensors.write(reserved, to: path)
        }
    }

    @Test func anotherModelsFileIsRefused() throws {
        let path = folder("model.safetensors")
        try SafeTensors.write(ParameterVector(zeros: try layout(("a", [2, 3]), ("b", [1]))), to: path)
        for (expected, problem) in [
            (try layout(("a", [2, 3]), ("b", [1]), ("c", [1])), SafeTensorsProblem.missingTensor("c")),
            (try layout(("a", [2, 3])), .unexpectedTensor("b")),
            (try layout(("a", [3, 2]), ("b", [1])), .shapeMismatch(name: "a", shape: [2, 3], expected: [3, 2])),
        ] {
            #expect(throws: FileError.tensors(path: path, problem: problem)) {
                try SafeTensors.read(path, as: expected)
            }
        }
    }

    /// A file of the given header and number of bytes of data.
    private func file(_ header: String, data: Int, length: UInt64? = nil) throws -> String {
        let length = length ?? UInt64(header.utf8.count)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
        return try folder.write(bytes + Array(header.utf8) + Array(repeating: 0, count: data), "file.safetensors")
    }

    private func tensor(_ name: String, _ shape: [Int], _ begin: Int, _ end: Int, type: String = "F32") -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
    }

    @Test func offsetsAreChecked() throws {
        let first = tensor("a", [2], 0, 8)
        for (tensors, data, problem) in [
            ([first, tensor("b", [2], 4, 12)], 12, SafeTensorsProblem.notContiguous(name: "b", begin: 4, expected: 8)),
            ([first, tensor("b", [2], 0, 8)], 8, .notContiguous(name: "b", begin: 0, expected: 8)),
            ([first, tensor("b", [1], 12, 16)], 16, .notContiguous(name: "b", begin: 12, expected: 8)),
            ([first, tensor("b", [1], 8, 12)], 11, .outOfRange(name: "b", begin: 8, end: 12, dataBytes: 11)),
            ([tensor("a", [2], 8, 0)], 8, .outOfRange(name: "a", begin: 8, end: 0, dataBytes: 8)),
            ([first], 12, .unclaimedBytes(4)),
            ([], 1, .unclaimedBytes(1)),
            ([tensor("a", [3], 0, 8)], 8, .sizeMismatch(name: "a", shape: [3], bytes: 8, bytesPerElement: 4)),
            ([tensor("a", [0], 0, 8)], 8, .sizeMismatch(name: "a", shape: [0], bytes: 8, bytesPerElement: 4)),
            // Times 4 it overflows to 8.
            (
                [tensor("a", [1 << 62, 2], 0, 8)], 8,
                .sizeMismatch(name: "a", shape: [1 << 62, 2], bytes: 8, bytesPerElement: 4)
            ),
            (
                [tensor("a", [3], 0, 8, type: "BF16")], 8,
                .sizeMismatch(name: "a", shape: [3], bytes: 8, bytesPerElement: 2)
            ),
            ([first, tensor("a", [1], 8, 12)], 12, .duplicateKey("a")),
        ] {
            let path = try file("{\(tensors.joined(separator: ","))}", data: data)
            #expect(throws: FileError.tensors(path: path, problem: problem)) { try SafeTensors.read(path) }
        }
        // The control: `file` makes good files too, in any order in the header.
        let good = try file("{\(tensor("b", [1], 8, 12)), \(first)}  ", data: 12)
        #expect(try SafeTensors.read(good).parameters.layout == layout(("a", [2]), ("b", [1])))
    }

    @Test(arguments: ["F64", "I64", "I32", "I8", "U8", "BOOL", "F8_E4M3", "f32"])
    func otherTypesAreNamed(_ type: String) throws {
        let path = try file("{\(tensor("a", [1], 0, 4)),\(tensor("b", [1], 4, 12, type: type))}", data: 12)
        let error = FileError.tensors(path: path, problem: .unsupportedType(name: "b", type: type))
        #expect(throws: error) { try SafeTensors.read(path) }
        #expect(throws: error) { try SafeTensors.read(path, as: layout(("a", [1]), ("b", [1]))) }
        #expect(throws: error) { try SafeTensors.readTensors(path) }
        for part in ["\"b\"", type, "F32, F16 or BF16", "tensor.float()"] { #expect("\(error)".contains(part)) }
    }

    @Test func lengthsAreChecked() throws {
        for count in 0..<8 {
            let path = try folder.write(Array(repeating: 1, count: count), "short")
            #expect(throws: FileError.tensors(path: path, problem: .noHeaderLength(fileBytes: count))) {
                try SafeTensors.read(path)
            }
        }
        for length in [3, UInt64.max, 1 << 63] {
            let path = try file("{}", data: 0, length: length)
            #expect(throws: FileError.tensors(path: path, problem: .headerTooLarge(length: length, limit: 2))) {
                try SafeTensors.read(path)
            }
        }
    }

    /// Whichever byte a file ends after, it is an error.
    @Test func everyTruncationIsFound() throws {
        let whole = folder("whole")
        try SafeTensors.write(
            ParameterVector(zeros: try layout(("a", [2]), ("b", [1]))), metadata: ["k": "v"], to: whole)
        let bytes = try FileContents.read(whole)
        for count in 0..<bytes.count {
            let path = try folder.write(bytes.prefix(count), "cut")
            let error = #expect(throws: FileError.self, "\(count) bytes") { try SafeTensors.read(path) }
            guard case .tensors = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test(arguments: [
        "", " {}", "[]", "{", "{}x", #"{"a"}"#, #"{"a":1}"#, #"{"a":{}}"#, #"{"a":{"dtype":"F32","shape":[1]}}"#,
        #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#,
        #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":{"a":"\x"}}"#, #"{"__metadata__":{"a":"\ud83d"}}"#,
        #"{"__metadata__":{"a":"\ud83dA000"}}"#, #"{"__metadata__":{"a":"\u12"}}"#, "{\"__metadata__\":{\"a\":\"\n\"}}",
        #"{"__metadata__":{},}"#,
    ])
    func malformedHeaders(_ header: String) throws {
        let path = try file(header, data: 4)
        let error = #expect(throws: FileError.self) { try SafeTensors.read(path) }
        guard case .tensors(path, .malformedHeader) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func escapesAreRead() throws {
        let good = try file(#"{ "__metadata__" : {"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"} }"#, data: 0)
        #expect(try SafeTensors.read(good).metadata == ["a": "\"\\/\u{8}\u{c}\n\r\té😀é"])
        // Two spellings of one key are one key.
        let twice = try file(#"{"__metadata__":{"a":"1","\u0061":"2"}}"#, data: 0)
        #expect(throws: FileError.tensors(path: twice, problem: .duplicateKey("a"))) { try SafeTensors.read(twice) }
    }

    @Test func namesThatAreNoTree() throws {
        let path = try file("{\(tensor("a", [1], 0, 4)),\(tensor("a.b", [1], 4, 8))}", data: 8)
        #expect(throws: FileError.tensors(path: path, problem: .noTree(.leafWithChildren("a")))) {
            try SafeTensors.read(path)
        }
    }

    @Test func aStructIsWrittenByItsPathsAndReadBack() throws {
        let folder = try TemporaryFolder()
        let file = folder("model.safetensors")
        try SafeTensors.write(NestedModel(seed: 4), metadata: ["step": "7"], to: file)
        #expect(try SafeTensors.read(file, like: NestedModel()) == NestedModel(seed: 4))
        let contents = try SafeTensors.read(file)
        #expect(contents.parameters.layout.leaves.map(\.path.description) == NestedModel.paths)
        #expect(contents.metadata == ["step": "7"])
        #expect(throws: FileError.self) { try SafeTensors.read(file, like: NestedModel(width: 4)) }
    }
}
