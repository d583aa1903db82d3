import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct NumPyArrayTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ bytes: [UInt8]) throws -> NumPyArray {
        try NumPyArray(contentsOf: try folder.write(bytes, "a.npy"))
    }

    private func problem(_ bytes: [UInt8]) throws -> NumPyProblem? {
        do throws(DatasetError) {
            _ = try NumPyArray(contentsOf: try! folder.write(bytes, "a.npy"))
            return nil
        } catch {
            guard case .numPy(folder("a.npy"), let problem) = error else { throw error }
            #expect(error.description.contains("/a.npy'"))
            return problem
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func everyVersionIsRead(version: UInt8) throws {
        let array = try read(npy("<f4", [2, 3], [1, -2, .infinity, 4, 5, 6.5] as [Float], version: version))
        #expect(array.shape == [2, 3] && array.type == "<f4" && array.count == 6)
        #expect(array.matrix() == Matrix(rows: 2, columns: 3, elements: [1, -2, .infinity, 4, 5, 6.5]))
        let compressed = try folder.write(
            gzipped(npy("<f4", [1, 2], [1, 2] as [Float], version: version)), "a.npy.gz")
        #expect(try NumPyArray(contentsOf: compressed).matrix() == Matrix(rows: 1, columns: 2, elements: [1, 2]))
    }

    /// The same numbers in every type and both byte orders.
    @Test func everyTypeIsRead() throws {
        let numbers: [Float] = [0, 1, 100, 127]
        func check<Number>(_ type: String, _ elements: [Number], _ swapped: [Number]) throws {
            let expected = Matrix(rows: 4, columns: 1, elements: numbers)
            #expect(try read(npy("<" + type, [4], elements)).matrix() == expected, "\(type)")
            #expect(try read(npy(">" + type, [4], swapped)).matrix() == expected, "\(type)")
        }
        func checkWhole<Number: FixedWidthInteger>(_ type: String, _: Number.Type) throws {
            let elements = numbers.map { Number($0) }
            try check(type, elements, elements.map(\.byteSwapped))
        }
        try check("f4", numbers, numbers.map { Float(bitPattern: $0.bitPattern.byteSwapped) })
        let doubles = numbers.map(Double.init)
        try check("f8", doubles, doubles.map { Double(bitPattern: $0.bitPattern.byteSwapped) })
        try checkWhole("i1", Int8.self)
        try checkWhole("i2", Int16.self)
        try checkWhole("i4", Int32.self)
        try checkWhole("i8", Int64.self)
        try checkWhole("u1", UInt8.self)
        try checkWhole("u2", UInt16.self)
        try checkWhole("u4", UInt32.self)
        try checkWhole("u8", UInt64.self)
        #expect(
            try read(npy("|b1", [1, 3], [0, 1, 1] as [UInt8])).matrix()
                == Matrix(rows: 1, columns: 3, elements: [0, 1, 1]))
    }

    /// Signs, and what is rounded to Float32 once.
    @Test func extremesAreConverted() throws {
        #expect(
            try read(npy("<i1", [2], [Int8.min, -1])).matrix() == Matrix(rows: 2, columns: 1, elements: [-128, -1]))
        #expect(try read(npy("<i8", [1], [Int64.min])).matrix()[0, 0] == -0x1p63)
        #expect(try read(npy("<u8", [2], [UInt64.max, 1 << 63])).matrix()[0, 0] == 0x1p64)
        // 2²⁴ + 1 lies between two Float32; 1e300 is beyond all of them.
        #expect(try read(npy("<u4", [1], [16_777_217 as UInt32])).matrix()[0, 0] == 16_777_216)
        #expect(
            try read(npy("<f8", [2], [0.1, 1e300])).matrix() == Matrix(rows: 2, columns: 1, elements: [0.1, .infinity]))
    }

    /// In Fortran order the first index turns fastest.
    @Test func fortranOrderIsRead() throws {
        let matrix = try read(npy("<f4", [2, 3], [1, 4, 2, 5, 3, 6] as [Float], order: "True")).matrix()
        #expect(matrix == Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6]))
        // Element (i, j, k) of a 2 × 3 × 2 array is 100 i + 10 j + k.
        let elements: [Float] = [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121]
        #expect(
            try read(npy("<f4", [2, 3, 2], elements, order: "True")).matrix()
                == Matrix(rows: 2, columns: 6, elements: [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]))
    }

    /// Files that NumPy 1.26 wrote: `asfortranarray([[1, 2, 3], [4, 5, 6]], '>f8')`, and `[[-1], [300]]` as `<i2`.
    @Test func filesOfNumPyAreRead() throws {
        let prefix = "k05VTVBZAQB2AHsnZGVzY3InOiAn"
        let fortran =
            prefix + "PmY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/8AAAAAAAAEAQAAAAAAAAQAAAAAAAAABAFAAAAAAAAEAIAAAAAAAAQBgA"
            + "AAAAAAA="
        let bytes = try #require(Data(base64Encoded: fortran))
        #expect(try read(Array(bytes)).matrix() == Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6]))
        let short =
            prefix + "PGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDEpLCB9ICAgICAgICAgICAgICAgICAgICAgICAg"
            + "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr//ywB"
        let array = try read(Array(try #require(Data(base64Encoded: short))))
        #expect(array.shape == [2, 1] && array.matrix() == Matrix(rows: 2, columns: 1, elements: [-1, 300]))
    }

    @Test func emptyArraysAndSingleNumbersAreRead() throws {
        let empty = try read(npy("<f4", [0, 7], [Float]()))
        #expect(empty.matrix().rows == 0 && empty.matrix().columns == 7)
        #expect(try read(npy("<f4", [], [3] as [Float])).matrix() == Matrix(rows: 1, columns: 1, elements: [3]))
    }

    @Test(arguments: ["<f2", "<c8", "|S4", "<U1", "|O", "<M8[s]", "<b4", "f4", "<f16"])
    func otherTypesAreRefused(_ type: String) throws {
        #expect(try problem(npy(type, [1], [0, 0] as [Float])) == .unsupportedType(type))
    }

    @Test(arguments: [
        [3, 3], [2, 2], [5], [1 << 62, 4], [.max, .max], [0, 1 << 62, 4], [0, 6],
    ])
    func shapesMustFitTheFile(_ shape: [Int]) throws {
        let bytes = npy("<f4", shape, [1, 2, 3, 4, 5, 6] as [Float])
        #expect(try problem(bytes) == .sizeMismatch(shape: shape, type: "<f4", bytes: 24))
    }

    @Test func truncatedAndOverlongFilesAreRefused() throws {
        let whole = npy("<f4", [2, 3], [1, 2, 3, 4, 5, 6] as [Float])
        for count in 0..<whole.count { #expect(try problem(Array(whole.prefix(count))) != nil, "\(count)") }
        #expect(try problem(whole + [0]) == .sizeMismatch(shape: [2, 3], type: "<f4", bytes: 25))
    }

    @Test func whatIsNoNumPyFileIsRefused() throws {
        for bytes in [[], Array("hello, world, this is text".utf8), npy("<f4", [], [0] as [Float], version: 9)] {
            #expect(try problem(bytes) == .notNumPy)
        }
        for header in [
            "{'shape': (2, 3)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, x)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -6)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", "\u{1b}[2J\r",
        ] {
            #expect(try problem(npy("", [], [0] as [Float], header: header)) == .malformedHeader(header))
        }
        // Of the longest header of version 1, which must not take a time that grows with its square.
        let long = String(repeating: "'shape': ('descr': '<f4', 'fortran_order': True ", count: 1300)
        #expect(
            try problem(npy("", [], [0] as [Float], header: long)) == .malformedHeader(String(long.prefix(200))))
        #expect(!NumPyProblem.malformedHeader("\u{1b}[2J\r").description.utf8.contains { $0 < 0x20 })
        #expect(throws: DatasetError.file(.cannotRead(path: "/nowhere/a.npy", code: ENOENT))) {
            try NumPyArray(contentsOf: "/nowhere/a.npy")
        }
    }

    @Test func theLimitHolds() throws {
        let path = try folder.write(gzipped(npy("<f4", [1000], [Float](repeating: 0, count: 1000))), "a.npy.gz")
        #expect(throws: DatasetError.file(.tooLarge(path: path, limit: 4000))) {
            try NumPyArray(contentsOf: path, limit: 4000)
        }
    }
}
