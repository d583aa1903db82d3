import PyTrees
import Testing

struct TensorTests {
    @Test func elementsAreInRowMajorOrder() throws {
        var tensor = counting([2, 3, 4], from: 0)
        #expect(tensor[1, 2, 3] == 23)
        #expect(tensor[1, 0, 2] == 14)
        tensor[0, 1, 0] = -1
        #expect(tensor.values[4] == -1 && tensor.values.count { $0 < 0 } == 1)
        #expect(try Tensor(shape: [], values: [5])[] == 5)
    }

    @Test func shapesThatDoNotDescribeTheValuesAreErrors() throws {
        #expect(throws: PyTreeError.elementCountMismatch(path: nil, shape: [2, 3], count: 5)) {
            try Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5])
        }
        #expect(throws: PyTreeError.elementCountMismatch(path: nil, shape: [], count: 0)) {
            try Tensor(shape: [], values: [])
        }
        #expect(throws: PyTreeError.negativeDimension(path: nil, shape: [-2, -3])) {
            try Tensor(shape: [-2, -3], values: [1, 2, 3, 4, 5, 6])
        }
        #expect(throws: PyTreeError.elementCountOverflow(path: nil, shape: [.max, 2])) {
            try Tensor(shape: [.max, 2], values: [])
        }
        #expect(try Tensor(shape: [2, 3], values: [1, 2, 3, 4, 5, 6]).values.count == 6)
        #expect(try Tensor(shape: [.max, .max, 0], values: []).values.isEmpty)
        #expect(Tensor([1, 2]).shape == [2])
    }

    @Test func changesHappenInPlace() {
        var tensor = Tensor(zeros: [100])
        let before = tensor.values.withUnsafeBufferPointer(\.baseAddress)
        tensor.values[7] = 1
        tensor[8] = 1
        #expect(tensor.values.withUnsafeBufferPointer(\.baseAddress) == before)
        // Control: with a second owner the same change has to copy.
        let copy = tensor
        tensor.values[7] = 2
        #expect(tensor.values.withUnsafeBufferPointer(\.baseAddress) != before)
        #expect(copy.values[7] == 1)
    }

    @Test func codingKeepsBitsAndChecksShapes() throws {
        let tensor = Tensor(Float.fragile)
        let back = try throughJSON(tensor)
        #expect(back.values.bits == tensor.values.bits && back.shape == tensor.shape)
        #expect(try fromJSON(Tensor.self, #"{"shape": [1, 1], "bitPatterns": [1065353216]}"#)[0, 0] == 1)
        #expect(throws: DecodingError.self) {
            try fromJSON(Tensor.self, #"{"shape": [2], "bitPatterns": [1065353216]}"#)
        }
        #expect(throws: DecodingError.self) {
            try fromJSON(Tensor.self, #"{"shape": [-1, -1], "bitPatterns": [1065353216]}"#)
        }
    }

    @Test func equalityIsThatOfNumbersAndShapes() throws {
        #expect(Tensor([1, -0.0]) == Tensor([1, 0]))
        #expect(Tensor([1, 2]) != Tensor([1, 3]))
        #expect(try Tensor(shape: [1, 2], values: [1, 2]) != Tensor([1, 2]))
        #expect(Set([Tensor([1]), Tensor([1]), Tensor([2])]).count == 2)
    }

    @Test func mistakesTrapWithBothShapes() async {
        let indices = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor(zeros: [2, 3])[2, 0]
        }
        let rank = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor(zeros: [2, 3])[1]
        }
        let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var tensor = Tensor(zeros: [2, 3])
            tensor.values.append(1)
        }
        let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor(zeros: [2, -3])
        }
        #if DEBUG
            let messages = [indices, rank, count, negative].map {
                String(decoding: $0?.standardErrorContent ?? [], as: UTF8.self)
            }
            #expect(messages[0].contains("The indices [2, 0] lie outside a tensor of shape [2, 3]"))
            #expect(messages[1].contains("The indices [1] lie outside a tensor of shape [2, 3]"))
            #expect(messages[2].contains("A tensor of shape [2, 3] holds 6 values and was given 7"))
            #expect(messages[3].contains("The shape [2, -3] has a negative dimension"))
        #endif
    }

    @Test func descriptionsShowTheShapeAndAFewElements() throws {
        let long = Tensor((0..<100).map(Float.init))
        #expect("\(long)" == "float32[100] [0.0, 1.0, 2.0, …, 97.0, 98.0, 99.0]")
        #expect(
            "\(counting([3, 2, 2], from: 1))" == "float32[3,2,2] [[[1.0, 2.0], [3.0, 4.0]], …, "
                + "[[9.0, 10.0], [11.0, 12.0]]]")
        #expect("\(try Tensor(shape: [], values: [0.5]))" == "float32[] 0.5")
        #expect("\(Tensor(zeros: [2, 0]))" == "float32[2,0] [[], []]")
        let vector = ParameterVector(repeating: 0.25, layout: try TreeLayout([("a/b", [7]), ("c", [1])]))
        #expect(
            "\(vector)" == "a/b float32[7] [0.25, 0.25, 0.25, …, 0.25, 0.25, 0.25]\nc float32[1] [0.25]")
    }
}
