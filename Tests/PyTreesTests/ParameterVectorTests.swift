import PyTrees
import Testing

struct ParameterVectorTests {
    let layout = try! TreeLayout([("dense/kernel", [2, 3]), ("dense/bias", [3]), ("temperature", [])])

    @Test func leavesAreReadAndWrittenByPath() throws {
        var vector = try ParameterVector(values: (0..<10).map(Float.init), layout: layout)
        #expect(vector["dense/kernel"] == counting([2, 3], from: 0))
        #expect(vector["temperature"][] == 9)
        vector["dense/bias"] = Tensor([-1, -2, -3])
        #expect(vector.values == [0, 1, 2, 3, 4, 5, -1, -2, -3, 9])
        vector["dense/kernel"][1, 2] = 50
        #expect(vector.values[5] == 50 && vector.count == 10)
        #expect(try vector.tensor(at: "dense/bias").values == [-1, -2, -3])
    }

    @Test func errorsNamePathsShapesAndCounts() throws {
        var vector = ParameterVector(zeros: layout)
        #expect(throws: PyTreeError.unknownLeaf("dense")) { try vector.tensor(at: "dense") }
        #expect(throws: PyTreeError.unknownLeaf("x")) { try vector.setTensor(Tensor([1]), at: "x") }
        #expect(throws: PyTreeError.shapeMismatch(path: "dense/bias", shape: [4], expected: [3])) {
            try vector.setTensor(Tensor(zeros: [4]), at: "dense/bias")
        }
        let error = #expect(throws: PyTreeError.valueCountMismatch(count: 9, expected: 10)) {
            try ParameterVector(values: [Float](repeating: 0, count: 9), layout: layout)
        }
        #expect(error?.description.contains("9") == true && error?.description.contains("10") == true)
        #expect(vector == ParameterVector(zeros: layout))
        #expect(ParameterVector(repeating: 2, layout: layout).values == [Float](repeating: 2, count: 10))
    }

    @Test func changesStayInPlaceAndCopiesAreIndependent() throws {
        var vector = ParameterVector(zeros: layout)
        let before = vector.withUnsafeValues(\.baseAddress)
        vector.withUnsafeMutableValues { $0[0] = 1 }
        vector.withMutableSpan { span in span[1] = 2 }
        try vector.setTensor(Tensor([3, 4, 5]), at: "dense/bias")
        vector["temperature"] = try Tensor(shape: [], values: [6])
        #expect(vector.withUnsafeValues(\.baseAddress) == before)
        #expect(vector.values == [1, 2, 0, 0, 0, 0, 3, 4, 5, 6])
        // Control: a shared vector has to move before it changes.
        let copy = vector
        vector.withUnsafeMutableValues { $0[0] = 9 }
        #expect(vector.withUnsafeValues(\.baseAddress) != before)
        #expect(copy.withUnsafeValues(\.baseAddress) == before)
        #expect(copy.values[0] == 1 && vector.values[0] == 9)
    }

    @Test func scopedAccessPassesResultsAndErrorsOn() throws {
        var vector = ParameterVector(repeating: 2, layout: layout)
        #expect(vector.withSpan { $0.count } == 10)
        let sum: Float = vector.withUnsafeValues { $0.reduce(0, +) }
        #expect(sum == 20)
        #expect(throws: PyTreeError.unknownLeaf("x")) {
            try vector.withUnsafeMutableValues { (_) throws(PyTreeError) in throw .unknownLeaf("x") }
        }
        #expect(throws: PyTreeError.unknownLeaf("x")) {
            try vector.withMutableSpan { (_) throws(PyTreeError) in throw .unknownLeaf("x") }
        }
    }

    @Test func codingKeepsBitsAndChecksCounts() throws {
        let layout = try TreeLayout([("a", [Float.fragile.count]), ("b", [0])])
        let vector = try ParameterVector(values: Float.fragile, layout: layout)
        let back = try throughJSON(vector)
        #expect(back.values.bits == vector.values.bits && back.layout == layout)
        let text = #"{"layout": [{"path": "a", "shape": [1]}], "bitPatterns": [PATTERNS]}"#
        let good = text.replacing("PATTERNS", with: "1065353216")
        #expect(try fromJSON(ParameterVector.self, good).values == [1])
        #expect(throws: DecodingError.self) {
            try fromJSON(ParameterVector.self, text.replacing("PATTERNS", with: "1065353216, 0"))
        }
    }

    @Test func equalityNeedsLayoutAndValues() throws {
        let other = try TreeLayout([("flat", [10])])
        #expect(ParameterVector(zeros: layout) == ParameterVector(repeating: -0.0, layout: layout))
        #expect(ParameterVector(zeros: layout) != ParameterVector(zeros: other))
        #expect(ParameterVector(zeros: layout) != ParameterVector(repeating: 1, layout: layout))
        #expect(Set([ParameterVector(zeros: layout), ParameterVector(zeros: layout)]).count == 1)
    }

    @Test func subscriptMistakesTrap() async {
        let unknown = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = ParameterVector(zeros: try TreeLayout([("a", [2])]))["b"]
        }
        let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var vector = ParameterVector(zeros: try TreeLayout([("a", [2])]))
            vector["a"] = Tensor(zeros: [3])
        }
        #if DEBUG
            let messages = [unknown, shape].map { String(decoding: $0?.standardErrorContent ?? [], as: UTF8.self) }
            #expect(messages[0].contains("The layout has no leaf \"b\""))
            #expect(messages[1].contains("has the shape [3], but the layout expects [2]"))
        #endif
    }
}
