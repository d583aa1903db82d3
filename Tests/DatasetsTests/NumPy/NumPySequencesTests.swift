import Datasets
import LinearAlgebra
import Testing

/// Sequences with lengths in NumPy's files.
@Suite struct NumPySequencesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func problem(_ body: () throws -> Void) -> NumPyProblem? {
        do {
            try body()
            return nil
        } catch {
            guard case .numPy(_, let problem) = error as? DatasetError else {
                Issue.record("\(error)")
                return nil
            }
            #expect(!problem.description.isEmpty)
            return problem
        }
    }

    /// Two rows of three positions; the second has one token, and what is behind it is not read.
    private static let ids: [Int] = [5, 6, 7, 8, 99, -7]
    private static let tokens = Matrix(rows: 2, columns: 3, elements: [5, 6, 7, 8, -1, -1])

    private func lengths(_ numbers: [Int64], _ name: String = "l.npy") throws -> String {
        try folder.write(npy("<i8", [numbers.count], numbers), name)
    }

    @Test func wholeNumbersWithLengthsAreTokensInEveryType() throws {
        func check<Number: FixedWidthInteger>(_ type: String, _: Number.Type) throws {
            let elements = Self.ids.map { Number(truncatingIfNeeded: $0) }
            let path = try folder.write(npy(type, [2, 3], elements), "x.npy")
            let file = try NumPyFile(path, lengths: try lengths([3, 1]))
            #expect(file.dataset.inputs == Self.tokens, "\(type)")
            #expect(file.dataset.lengths == [3, 1] && file.inputs == .tokens && !file.hasByteFeatures)
        }
        try check("<i8", Int64.self)
        try check("<i4", Int32.self)
        try check("<i2", Int16.self)
        try check("|i1", Int8.self)
        try check("<u8", UInt64.self)
        try check("<u4", UInt32.self)
        try check("<u2", UInt16.self)
        try check("|u1", UInt8.self)
    }

    /// Without lengths, those who say that there are tokens have them end with −1; floats may be whole, too.
    @Test func paddingTellsLengths() throws {
        let padded: [Float] = [5, 6, 7, 8, -1, -1]
        for bytes in [npy("<i4", [2, 3], padded.map { Int32($0) }), npy("<f4", [2, 3], padded)] {
            let path = try folder.write(bytes, "x.npy")
            let file = try NumPyFile(path, inputs: .tokens)
            #expect(file.dataset.inputs == Self.tokens && file.dataset.lengths == [3, 1])
            #expect(try NumPyFile(path).dataset.lengths == nil)
        }
        let byte = try folder.write(npy("|u1", [1, 2], [255, 0] as [UInt8]), "b.npy")
        #expect(try NumPyFile(byte, inputs: .tokens).dataset.inputs == Matrix(rows: 1, columns: 2, elements: [255, 0]))
        #expect(try NumPyFile(byte).dataset.inputs == Matrix(rows: 1, columns: 2, elements: [1, 0]))
    }

    @Test func positionsMayHaveFeatures() throws {
        let path = try folder.write(npy("<f4", [2, 2, 2], (1...8).map { Float($0) }), "x.npy")
        let file = try NumPyFile(path, lengths: try lengths([1, 2]))
        #expect(file.dataset.inputs == Matrix(rows: 2, columns: 4, elements: [1, 2, 0, 0, 5, 6, 7, 8]))
        #expect(file.dataset.lengths == [1, 2] && file.inputs == .features && file.exampleShape == [2, 2])
        let flat = try folder.write(npy("<f4", [2, 3], (1...6).map { Float($0) }), "x.npy")
        #expect(
            try NumPyFile(flat, lengths: try lengths([1, 3])).dataset.inputs
                == Matrix(rows: 2, columns: 3, elements: [1, 0, 0, 4, 5, 6]))
    }

    @Test func archivesHaveLengthsAndTargets() throws {
        let inputs = npy("<i4", [2, 3], Self.ids.map { Int32($0) })
        let other = npy("<i4", [1, 3], [1, 2, 3] as [Int32])
        let values = npy("<f4", [2, 2], [1, 2, 3, 4] as [Float])
        let path = try folder.write(
            zipped([
                ("x_train.npy", inputs), ("lengths_train.npy", npy("<i4", [2, 1], [3, 1] as [Int32])),
                ("targets_train.npy", values), ("x_test.npy", other),
                ("lengths_test.npy", npy("<u1", [1], [2] as [UInt8])),
                ("targets_test.npy", npy("<f4", [1, 2], [5, 6] as [Float])),
            ]), "a.npz")
        let file = try NumPyFile(path)
        #expect(file.dataset.inputs == Self.tokens && file.dataset.lengths == [3, 1])
        #expect(file.dataset.targets == .values(Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4])))
        #expect(file.test?.lengths == [2])
        #expect(file.test?.inputs == Matrix(rows: 1, columns: 3, elements: [1, 2, -1]))
        let evaluated = try NumPyFile(evaluationSet: path)
        #expect(evaluated.dataset.lengths == [2] && evaluated.dataset.inputs == file.test?.inputs)
        #expect(try NumPyFile(features: path).dataset.lengths == [3, 1])
        // Lengths of their own win.
        #expect(try NumPyFile(path, lengths: try lengths([1, 1])).dataset.lengths == [1, 1])

        // A test set without lengths is one of tokens if the training set is.
        let bare = try folder.write(
            zipped([
                ("x.npy", inputs), ("lengths.npy", npy("<i4", [2], [3, 1] as [Int32])),
                ("x_test.npy", npy("<i4", [1, 3], [4, -1, -1] as [Int32])),
            ]), "b.npz")
        #expect(try NumPyFile(bare).test?.lengths == [1])
        let both = try folder.write(zipped([("x.npy", inputs), ("y.npy", values), ("targets.npy", values)]), "c.npz")
        #expect(problem { _ = try NumPyFile(both) } == .ambiguousArrays(["y", "targets"]))
    }

    @Test func positionsMayHaveTargets() throws {
        let path = try folder.write(npy("<i4", [2, 3], Self.ids.map { Int32($0) }), "x.npy")
        let lengths = try lengths([3, 1])
        let next = try folder.write(npy("<i2", [2, 3], [6, -1, 4, 2, 77, -9] as [Int16]), "y.npy")
        let expected = Targets.values(Matrix(rows: 2, columns: 3, elements: [6, -1, 4, 2, -1, -1]))
        #expect(try NumPyFile(path, labels: next, lengths: lengths).dataset.targets == expected)
        #expect(try NumPyFile(path, labels: next, lengths: lengths, classCount: 7).dataset.targets == expected)
        #expect(
            problem { _ = try NumPyFile(path, labels: next, lengths: lengths, classCount: 6) }
                == .positionTargetOutOfRange(row: 0, position: 0, value: 6, limit: 6))
        let low = try folder.write(npy("<i2", [2, 3], [6, -2, 4, 2, 77, -9] as [Int16]), "y.npy")
        #expect(
            problem { _ = try NumPyFile(path, labels: low, lengths: lengths) }
                == .positionTargetOutOfRange(row: 0, position: 1, value: -2, limit: 1 << 24))
        // One for each of some positions fits nothing; classes of examples do.
        let two = try folder.write(npy("<i2", [2, 2], [1, 2, 3, 4] as [Int16]), "y.npy")
        #expect(
            problem { _ = try NumPyFile(path, labels: two, lengths: lengths) }
                == .wrongShape([2, 2], expected: "one number an example: its class, or one a position"))
        let classes = try folder.write(npy("<i2", [2], [1, 0] as [Int16]), "y.npy")
        #expect(
            try NumPyFile(path, labels: classes, lengths: lengths, classCount: 2).dataset.targets
                == .classes([1, 0], classCount: 2))
    }

    @Test(arguments: [(0, 0), (0, -1), (1, 4), (1, .max)])
    func lengthsMustFitTheArray(_ row: Int, _ length: Int64) throws {
        var numbers: [Int64] = [3, 1]
        numbers[row] = length
        for x in [npy("<i8", [2, 3], Self.ids), npy("<f4", [2, 3, 1], Self.ids.map { Float($0) })] {
            let path = try folder.write(x, "x.npy")
            #expect(
                problem { _ = try NumPyFile(path, lengths: try lengths(numbers)) }
                    == .lengthOutOfRange(row: row, length: Int(length), positions: 3))
        }
    }

    @Test func lengthsMustBeLengths() throws {
        let path = try folder.write(npy("<i8", [2, 3], Self.ids), "x.npy")
        let three = try lengths([1, 1, 1])
        #expect(
            throws: DatasetError.lengthCountMismatch(examples: path, exampleCount: 2, lengths: three, lengthCount: 3)
        ) { try NumPyFile(path, lengths: three) }
        let floats = try folder.write(npy("<f4", [2], [3, 1] as [Float]), "f.npy")
        #expect(problem { _ = try NumPyFile(path, lengths: floats) } == .lengthsAreNotWhole(type: "<f4"))
        let wide = try folder.write(npy("<i8", [2, 2], [1, 1, 1, 1] as [Int64]), "w.npy")
        #expect(
            problem { _ = try NumPyFile(path, lengths: wide) }
                == .wrongShape([2, 2], expected: "one number an example: its length"))
        let single = try folder.write(npy("<i8", [2], [1, 1] as [Int64]), "x.npy")
        #expect(problem { _ = try NumPyFile(single, lengths: try lengths([1, 1])) } != nil)
        let images = try folder.write(npy("<i8", [1, 1, 1], [1] as [Int64]), "x.npy")
        #expect(problem { _ = try NumPyFile(images, inputs: .tokens) } != nil)
    }

    /// 2²⁴ − 1 is the largest id: one more, and the next one could not be told from it.
    @Test func idsMustBeExact() throws {
        let largest = (1 << 24) - 1
        for id in [-2, 1 << 24, (1 << 24) + 1, .max] {
            let path = try folder.write(npy("<i8", [2, 2], [1, largest, 1, id]), "x.npy")
            #expect(
                problem { _ = try NumPyFile(path, inputs: .tokens) }
                    == .notAToken(row: 1, position: 1, value: "\(id)"))
        }
        let path = try folder.write(npy("<i8", [1, 2], [1, largest]), "x.npy")
        #expect(try NumPyFile(path, inputs: .tokens).dataset.inputs[0, 1] == Float(largest))
        for value: Float in [0.5, .nan, .infinity, -2] {
            let path = try folder.write(npy("<f4", [1, 2], [value, 1]), "x.npy")
            #expect(
                problem { _ = try NumPyFile(path, inputs: .tokens) }
                    == .notAToken(row: 0, position: 0, value: "\(value)"))
        }
    }

    @Test func paddingStandsBehindTokens() throws {
        let inside = try folder.write(npy("<i8", [2, 3], [1, 2, 3, 1, -1, 3]), "x.npy")
        let expected = NumPyProblem.notAToken(row: 1, position: 1, value: "-1")
        #expect(problem { _ = try NumPyFile(inside, inputs: .tokens) } == expected)
        #expect(problem { _ = try NumPyFile(inside, lengths: try lengths([3, 2])) } == expected)
        let empty = try folder.write(npy("<i8", [2, 3], [1, 2, 3, -1, -1, -1]), "x.npy")
        #expect(problem { _ = try NumPyFile(empty, inputs: .tokens) } == .emptySequence(row: 1))
    }

    /// The property: an example's row and target are the same bits whatever is behind its length, and whatever other
    /// examples hold.
    private func ignoresTheRest(_ read: (String, String, String) throws -> InMemoryDataset) throws -> Bool {
        var seen: Set<[UInt32]> = []
        for (behind, other) in [(0, 1), (77, 1), (0, 900)] {
            let x = try folder.write(npy("<i4", [2, 3], [4, 5, behind, other, 2, 3].map { Int32($0) }), "x.npy")
            let y = try folder.write(npy("<i4", [2, 3], [5, 6, behind, other, 2, 3].map { Int32($0) }), "y.npy")
            let dataset = try read(x, y, try lengths([2, 3]))
            guard case .values(let targets) = dataset.targets else { return false }
            seen.insert((0..<3).flatMap { [dataset.inputs[0, $0].bitPattern, targets[0, $0].bitPattern] })
        }
        return seen.count == 1
    }

    @Test func anExampleIsAFunctionOfItsTokens() throws {
        #expect(try ignoresTheRest { try NumPyFile($0, labels: $1, lengths: $2).dataset })
        // The broken twin reads the padding as well, and the property sees it.
        #expect(
            try !ignoresTheRest { x, y, _ in
                let inputs = try NumPyArray(contentsOf: x).matrix()
                return InMemoryDataset(inputs: inputs, targets: .values(try NumPyArray(contentsOf: y).matrix()))
            })
    }
}
