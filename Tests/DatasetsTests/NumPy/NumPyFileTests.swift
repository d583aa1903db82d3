import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct NumPyFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ name: String, _ bytes: [UInt8]) throws -> String { try folder.write(bytes, name) }

    private func problem(_ body: () throws -> NumPyFile) -> (path: String, problem: NumPyProblem)? {
        do {
            _ = try body()
            return nil
        } catch {
            guard case .numPy(let path, let problem) = error as? DatasetError else {
                Issue.record("\(error)")
                return nil
            }
            return (path, problem)
        }
    }

    /// What NumPy 1.26 wrote by `savez_compressed`: Keras's names, images of 2 × 2 unsigned bytes.
    static let compressed = Data(
        base64Encoded: """
            UEsDBC0AAAAIAAAAIQBEBHbF//////////8LABQAeF90cmFpbi5ucHkBABAAjAAAAAAAAABUAAAAAAAAAJvsF+obEMnIUMZQrZ6S\
            WpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GsY6CkZApKmjUKtAHuBiENGwCUip6Fmw5cQdAFBLAwQt\
            AAAACAAAACEAihrOE///////////CwAUAHlfdHJhaW4ubnB5AQAQAJgAAAAAAAAASgAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRu\
            paBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RrGOpo6CrUKFAAuJgZUwAilAVBLAwQtAAAACAAAACEA6e6kT///\
            ////////CgAUAHhfdGVzdC5ucHkBABAAhAAAAAAAAABMAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSY\
            F59flJIKEndLzClOBYoXZyQWpAL5GoY6CkZApKmjUKtAHuD6b8zACABQSwMELQAAAAgAAAAhAKEYEk///////////woAFAB5X3Rl\
            c3QubnB5AQAQAIQAAAAAAAAASAAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mirqOgnpZfVFKUmBefX5SSChJ3S8wpTgWK\
            F2ckFqQC+RqGOpo6CrUKFAAuRgYGBgBQSwECLQMtAAAACAAAACEARAR2xVQAAACMAAAACwAAAAAAAAAAAAAAgAEAAAAAeF90cmFp\
            bi5ucHlQSwECLQMtAAAACAAAACEAihrOE0oAAACYAAAACwAAAAAAAAAAAAAAgAGRAAAAeV90cmFpbi5ucHlQSwECLQMtAAAACAAA\
            ACEA6e6kT0wAAACEAAAACgAAAAAAAAAAAAAAgAEYAQAAeF90ZXN0Lm5weVBLAQItAy0AAAAIAAAAIQChGBJPSAAAAIQAAAAKAAAA\
            AAAAAAAAAACAAaABAAB5X3Rlc3QubnB5UEsFBgAAAAAEAAQA4gAAACQCAAAAAA==
            """)!

    /// The same by `savez`: Float32 features `x` and Float64 numbers `y` of shape (2, 1).
    static let stored = Data(
        base64Encoded: """
            UEsDBC0AAAAAAAAAIQDKm1+E//////////8FABQAeC5ucHkBABAAkAAAAAAAAACQAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzog\
            JzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAg\
            ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAADAPwAAAMAAAAAAAABQQFBLAwQtAAAAAAAAACEAREEmsP//////////\
            BQAUAHkubnB5AQAQAJAAAAAAAAAAkAAAAAAAAACTTlVNUFkBAHYAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZh\
            bHNlLCAnc2hhcGUnOiAoMiwgMSksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg\
            ICAgICAgCgAAAAAAAOA/AAAAAAAA8L9QSwECLQMtAAAAAAAAACEAyptfhJAAAACQAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQ\
            SwECLQMtAAAAAAAAACEAREEmsJAAAACQAAAABQAAAAAAAAAAAAAAgAHHAAAAeS5ucHlQSwUGAAAAAAIAAgBmAAAAjgEAAAAA
            """)!

    @Test func archivesOfNumPyAreRead() throws {
        let images = try NumPyFile(try folder.write(Self.compressed, "a.npz"), classCount: 3)
        let bytes = (0..<12).map { Float(20 * $0) / 255 }
        #expect(images.dataset.inputs == Matrix(rows: 3, columns: 4, elements: bytes))
        #expect(images.dataset.targets == .classes([2, 0, 1], classCount: 3))
        #expect(images.exampleShape == [2, 2])
        #expect(images.test?.inputs == Matrix(rows: 1, columns: 4, elements: [1, 0.2, 0, 1 / 255]))
        #expect(images.test?.targets == .classes([1], classCount: 3))

        let numbers = try NumPyFile(try folder.write(Self.stored, "b.npz"))
        #expect(numbers.dataset.inputs == Matrix(rows: 2, columns: 2, elements: [1.5, -2, 0, 3.25]))
        #expect(numbers.dataset.targets == .values(Matrix(rows: 2, columns: 1, elements: [0.5, -1])))
        #expect(numbers.test == nil)
    }

    @Test func separateFilesAreRead() throws {
        let x = try write("x.npy", npy("<f4", [3, 1, 2], [1, 2, 3, 4, 5, 6] as [Float]))
        let y = try write("y.npy", npy("<i4", [3, 1], [0, 26, 1] as [Int32]))
        let file = try NumPyFile(x, labels: y, classCount: 27)
        #expect(file.dataset.inputs == Matrix(rows: 3, columns: 2, elements: [1, 2, 3, 4, 5, 6]))
        #expect(file.dataset.targets == .classes([0, 26, 1], classCount: 27))
        #expect(file.exampleShape == [1, 2] && file.test == nil)
        #expect(try NumPyFile(x).dataset.targets == .values(Matrix(rows: 3, columns: 0)))
        let values = try write("v.npy", npy("<f4", [3, 2], [1, 2, 3, 4, 5, 6] as [Float]))
        #expect(
            try NumPyFile(x, labels: values).dataset.targets
                == .values(Matrix(rows: 3, columns: 2, elements: [1, 2, 3, 4, 5, 6])))
        // Labels of their own win over those of an archive, which need no classes where nobody wants them.
        let archive = try folder.write(Self.compressed, "a.npz")
        #expect(
            try NumPyFile(archive, labels: y, classCount: 27).dataset.targets == .classes([0, 26, 1], classCount: 27))
        #expect(try NumPyFile(features: archive).test?.targets.outputCount == 0)
    }

    /// Labels that are given are those of the set that is used, whichever it is.
    @Test func theEvaluationSetTakesTheLabelsThatAreGiven() throws {
        let archive = try folder.write(Self.compressed, "a.npz")
        let own = try NumPyFile(evaluationSet: archive, classCount: 3)
        #expect(own.dataset.inputs.rows == 1 && own.dataset.targets == .classes([1], classCount: 3) && own.test == nil)
        let y = try write("y.npy", npy("<i4", [1], [2] as [Int32]))
        let replaced = try NumPyFile(evaluationSet: archive, labels: y, classCount: 3)
        #expect(replaced.dataset.inputs == own.dataset.inputs)
        #expect(replaced.dataset.targets == .classes([2], classCount: 3))
        // Without a test set it is the only one there is.
        let single = try folder.write(Self.stored, "b.npz")
        #expect(try NumPyFile(evaluationSet: single).dataset.inputs == NumPyFile(single).dataset.inputs)
    }

    @Test func bytesAreToldFromOtherNumbers() throws {
        for (type, isByte) in [("|u1", true), ("|i1", false)] {
            let file = try NumPyFile(try write("x.npy", npy(type, [2, 1], [1, 2] as [UInt8])))
            #expect(file.hasByteFeatures == isByte && file.featureType == type)
        }
        let bytes = npy("|u1", [2, 1], [1, 2] as [UInt8])
        let floats = npy("<f4", [2, 1], [1, 2] as [Float])
        for (train, test, type) in [(bytes, floats, "<f4"), (floats, bytes, "|u1")] {
            let path = try write("mixed.npz", zipped([("x_train.npy", train), ("x_test.npy", test)]))
            let error = DatasetError.featureTypeMismatch(
                path: "\(path)/x_test.npy", type: type, trainedOnBytes: type == "<f4")
            #expect(throws: error) { try NumPyFile(path) }
            #expect("\(error)".contains("'\(type)'") && "\(error)".contains("'|u1'"))
        }
    }

    /// The property: the first example's features are the same bits whatever other examples hold.
    private func ignoresOtherExamples(_ read: (String) throws -> Matrix) throws -> Bool {
        func first<Number>(_ type: String, _ elements: [Number]) throws -> [UInt32] {
            let inputs = try read(try write("x.npy", npy(type, [elements.count / 2, 2], elements)))
            return [inputs[0, 0].bitPattern, inputs[0, 1].bitPattern]
        }
        return try first("|u1", [3, 7] as [UInt8]) == first("|u1", [3, 7, 255, 255] as [UInt8])
            && first("<i2", [3, 7] as [Int16]) == first("<i2", [3, 7, -300, 9999] as [Int16])
            && first("<f8", [0.1, 7]) == first("<f8", [0.1, 7, 1e30, -1e30])
    }

    @Test func eachExampleIsConvertedOnItsOwn() throws {
        #expect(try ignoresOtherExamples { try NumPyFile($0).dataset.inputs })
    }

    /// The broken twin scales by the largest number of the file, and the property sees it.
    @Test func scalingByTheLargestNumberBreaksTheProperty() throws {
        let isIndependent = try ignoresOtherExamples { path in
            var matrix = try NumPyArray(contentsOf: path).matrix()
            matrix.withUnsafeMutableElements { elements in
                let largest = elements.max() ?? 1
                for index in elements.indices { elements[index] /= largest }
            }
            return matrix
        }
        #expect(!isIndependent)
    }

    @Test func labelsMustBeOfTheirKind() throws {
        let x = try write("x.npy", npy("<f4", [2, 1], [1, 2] as [Float]))
        let whole = try write("i.npy", npy("<u8", [2], [0, UInt64.max]))
        #expect(problem { try NumPyFile(x, labels: whole) }?.problem == .lacksClassCount(type: "<u8"))
        #expect(throws: DatasetError.labelOutOfRange(path: whole, index: 1, label: .max, classCount: 10)) {
            try NumPyFile(x, labels: whole, classCount: 10)
        }
        let negative = try write("n.npy", npy("<i1", [2], [0, -1] as [Int8]))
        #expect(throws: DatasetError.labelOutOfRange(path: negative, index: 1, label: -1, classCount: 10)) {
            try NumPyFile(x, labels: negative, classCount: 10)
        }
        let numbers = try write("f.npy", npy("<f4", [2], [0, 1] as [Float]))
        #expect(
            problem { try NumPyFile(x, labels: numbers, classCount: 2) }?.problem == .classesAreNotWhole(type: "<f4"))
        let oneHot = try write("o.npy", npy("<i1", [2, 2], [0, 1, 1, 0] as [Int8]))
        #expect(
            problem { try NumPyFile(x, labels: oneHot, classCount: 2) }?.problem
                == .wrongShape([2, 2], expected: "one number an example: its class"))
        let three = try write("3.npy", npy("<f4", [3], [0, 1, 2] as [Float]))
        #expect(throws: DatasetError.countMismatch(examples: x, exampleCount: 2, labels: three, labelCount: 3)) {
            try NumPyFile(x, labels: three)
        }
        #expect(throws: DatasetError.invalidClassCount(1)) { try NumPyFile(x, labels: whole, classCount: 1) }
    }

    @Test func numbersMustBeFinite() throws {
        for (type, bytes) in [
            ("<f4", npy("<f4", [2, 3], [1, 2, 3, 4, .nan, 6] as [Float])),
            ("<f8", npy("<f8", [2, 3], [1, 2, 3, 4, 1e39, 6])),
            ("<f8", npy("<f8", [2, 1, 3], [1, 2, 3, 4, -Double.infinity, 6])),
        ] {
            let x = try write("x.npy", bytes)
            #expect(problem { try NumPyFile(x) }?.problem == .notFinite(row: 1, column: 1), "\(type)")
        }
        let x = try write("x.npy", npy("<f4", [2, 1], [1, 2] as [Float]))
        let y = try write("y.npy", npy("<f8", [2, 2], [1, 2, 3, .nan]))
        let found = problem { try NumPyFile(x, labels: y) }
        #expect(found?.path == y && found?.problem == .notFinite(row: 1, column: 1))
    }

    @Test func shapesMustBeThoseOfExamples() throws {
        let single = try write("x.npy", npy("<f4", [], [1] as [Float]))
        #expect(problem { try NumPyFile(single) } != nil)
        let none = try write("x.npy", npy("<f4", [0, 1 << 20, 1 << 20], [Float]()))
        #expect(throws: DatasetError.noExamples(path: none)) { try NumPyFile(none) }
        let narrow = try write("x.npy", npy("<f4", [1 << 40, 0], [Float]()))
        #expect(problem { try NumPyFile(narrow) } != nil)
        let bytes = try write("x.npy", npy("|u1", [10, 10], [UInt8](repeating: 1, count: 100)))
        #expect(throws: DatasetError.tooLarge(path: bytes, examples: 10, features: 10, limit: 399)) {
            try NumPyFile(bytes, limit: 399)
        }
        #expect(try NumPyFile(bytes, limit: 400).dataset.count == 10)
    }

    private func archive(_ members: KeyValuePairs<String, [UInt8]>) throws -> String {
        try write("a.npz", zipped(members.map { ("\($0.key).npy", $0.value) }))
    }

    @Test func archivesMustHoldTheNamedArrays() throws {
        let one = npy("<f4", [1, 1], [1] as [Float])
        let other = try archive(["images": one, "labels": one])
        let found = problem { try NumPyFile(other) }
        #expect(found?.problem == .missingArray(["x_train", "x"], found: ["images.npy", "labels.npy"]))
        let empty = try archive([:])
        #expect(problem { try NumPyFile(empty) }?.problem == .missingArray(["x_train", "x"], found: []))
        #expect(try NumPyFile(archive(["x": one])).dataset.targets.outputCount == 0)
    }

    @Test func anArchivesTestSetMustBeAnother() throws {
        let x = npy("<f4", [2, 2], [1, 2, 3, 4] as [Float])
        let (y, z) = (npy("<f4", [2], [0, 1] as [Float]), npy("<f4", [2], [1, 1] as [Float]))
        let same = try archive(["x_train": x, "y_train": y, "x_test": x, "y_test": z])
        #expect(
            throws: DatasetError.testsOnTrainingExamples(train: same + "/x_train.npy", test: same + "/x_test.npy")
        ) { try NumPyFile(same) }
        let wide = npy("<f4", [2, 1, 2], [1, 2, 3, 5] as [Float])
        let shapes = try archive(["x_train": x, "y_train": y, "x_test": wide, "y_test": z])
        #expect(throws: DatasetError.exampleShapeMismatch(train: [2], test: [1, 2])) { try NumPyFile(shapes) }
        // The control: one number is another.
        let near = npy("<f4", [2, 2], [1, 2, 3, 5] as [Float])
        #expect(try NumPyFile(archive(["x_train": x, "y_train": y, "x_test": near, "y_test": y])).test != nil)
    }
}
