import CommandLineSupport
import Foundation
import LinearAlgebra
import Testing

@Suite struct NumPyFileTests {
    /// A file as `numpy.save` writes it.
    private static func file(
        version: UInt8 = 1, type: String = "<f4", order: String = "False", shape: String = "(2, 3)",
        header: String? = nil, elements: [Float] = [1, 2, 3, 4, 5, 6], extra: Int = 0
    ) -> Data {
        let text = header ?? "{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }\n"
        var data = Data([0x93]) + Data("NUMPY".utf8) + Data([version, 0])
        let length = UInt32(text.utf8.count)
        let lengthBytes = withUnsafeBytes(of: length.littleEndian) { Data($0) }
        data += version == 1 ? lengthBytes.prefix(2) : lengthBytes
        data += Data(text.utf8)
        elements.withUnsafeBytes { data += Data($0) }
        return extra < 0 ? data.dropLast(-extra) : data + Data(count: extra)
    }

    private static func read(_ data: Data) throws -> Matrix {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).npy")
        try data.write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try NumPyFile.readMatrix(url.path)
    }

    private static func error(_ data: Data) -> NumPyFileError? {
        do {
            _ = try read(data)
            return nil
        } catch {
            return error as? NumPyFileError
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func readsTheMatrixOfEveryVersion(version: UInt8) throws {
        let matrix = try Self.read(Self.file(version: version, elements: [1, -2, .infinity, 4, 5, 6.5]))
        #expect(matrix == Matrix(rows: 2, columns: 3, elements: [1, -2, .infinity, 4, 5, 6.5]))
    }

    @Test func readsAnEmptyMatrix() throws {
        let matrix = try Self.read(Self.file(shape: "(0, 7)", elements: []))
        #expect(matrix.rows == 0 && matrix.columns == 7)
    }

    @Test func namesWhatItCannotTake() {
        guard case .unsupportedType(_, "<f8") = Self.error(Self.file(type: "<f8")) else {
            Issue.record("Float64 was taken for Float32.")
            return
        }
        guard case .unsupportedType(_, ">f4") = Self.error(Self.file(type: ">f4")) else {
            Issue.record("Big-endian numbers were taken for little-endian ones.")
            return
        }
        guard case .fortranOrder = Self.error(Self.file(order: "True")) else {
            Issue.record("Fortran order was taken for C order.")
            return
        }
    }

    @Test(arguments: ["(6,)", "(1, 2, 3)", "()", "(-2, -3)", "(2, x)", "(99999999999999999999, 3)"])
    func refusesOtherShapes(shape: String) {
        guard case .wrongShape = Self.error(Self.file(shape: shape)) else {
            Issue.record("The shape \(shape) was accepted.")
            return
        }
    }

    @Test(arguments: ["(3, 3)", "(2, 2)", "(4611686018427387904, 4)", "(9223372036854775807, 9223372036854775807)"])
    func refusesHeadersThatPromiseOtherThanTheFileHolds(shape: String) {
        guard case .wrongSize = Self.error(Self.file(shape: shape)) else {
            Issue.record("A file of 6 elements was read as \(shape).")
            return
        }
    }

    @Test(arguments: [-1, -24, 1])
    func refusesTruncatedAndOverlongFiles(extra: Int) {
        guard case .wrongSize = Self.error(Self.file(extra: extra)) else {
            Issue.record("A file that is \(extra) bytes off was accepted.")
            return
        }
    }

    @Test func refusesWhatIsNoNumPyFile() {
        for data in [Data(), Data("hello, world, this is text".utf8), Self.file(version: 9), Self.file().prefix(20)] {
            guard case .notNumPy = Self.error(data) else {
                Issue.record("\(data.count) bytes of something else were accepted.")
                continue
            }
        }
        guard case .unsupportedHeader = Self.error(Self.file(header: "{'shape': (2, 3)}")) else {
            Issue.record("A header without a type was accepted.")
            return
        }
        #expect(throws: NumPyFileError.cannotOpen(path: "/nowhere/gradients.npy")) {
            _ = try NumPyFile.readMatrix("/nowhere/gradients.npy")
        }
    }
}
