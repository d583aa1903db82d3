import Foundation
import LinearAlgebra

/// Reads a matrix from a file in NumPy's format: two dimensions, Float32, C order, little-endian.
///
/// The format: numpy.lib.format, versions 1 to 3.
package enum NumPyFile {
    /// Reads the file's matrix straight into its own memory.
    ///
    /// Throws `NumPyFileError`, which names the file and what is wrong with it.
    package static func readMatrix(_ path: String) throws -> Matrix {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw NumPyFileError.cannotOpen(path: path)
        }
        defer { try? file.close() }
        let (shape, offset) = try header(of: file, path: path)
        let size = Int(try file.seekToEnd())
        let (count, overflow) = shape.rows.multipliedReportingOverflow(by: shape.columns)
        let needed = count.multipliedReportingOverflow(by: 4)
        if overflow || needed.overflow || needed.partialValue != size - offset {
            throw NumPyFileError.wrongSize(
                path: path, rows: shape.rows, columns: shape.columns, dataBytes: size - offset)
        }
        try file.seek(toOffset: UInt64(offset))
        var matrix = Matrix(rows: shape.rows, columns: shape.columns)
        try matrix.withUnsafeMutableElements { elements in
            let bytes = UnsafeMutableRawBufferPointer(elements)
            var filled = 0
            while filled < bytes.count {
                guard let chunk = try file.read(upToCount: min(64 << 20, bytes.count - filled)), !chunk.isEmpty else {
                    throw NumPyFileError.wrongSize(
                        path: path, rows: shape.rows, columns: shape.columns, dataBytes: filled)
                }
                UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyBytes(from: chunk)
                filled += chunk.count
            }
        }
        return matrix
    }

    private static func header(
        of file: FileHandle, path: String
    ) throws -> (shape: (rows: Int, columns: Int), offset: Int) {
        guard let start = try file.read(upToCount: 10), start.count == 10,
            start.prefix(6) == Data([0x93]) + Data("NUMPY".utf8)
        else { throw NumPyFileError.notNumPy(path: path) }
        let version = start[6]
        var offset = 10
        var length = Int(start[8]) | Int(start[9]) << 8
        if version >= 2 {
            guard version <= 3, let rest = try file.read(upToCount: 2), rest.count == 2 else {
                throw NumPyFileError.notNumPy(path: path)
            }
            length |= Int(rest[0]) << 16 | Int(rest[1]) << 24
            offset = 12
        }
        // A header is a line of a few dozen bytes: what claims more is not one.
        guard length <= 1 << 16, let data = try file.read(upToCount: length), data.count == length else {
            throw NumPyFileError.notNumPy(path: path)
        }
        let text = String(decoding: data, as: UTF8.self)
        return (try shape(in: text, path: path), offset + length)
    }

    private static func shape(in header: String, path: String) throws -> (rows: Int, columns: Int) {
        guard let type = header.firstMatch(of: /'descr':\s*'([^']*)'/)?.1,
            let order = header.firstMatch(of: /'fortran_order':\s*(True|False)/)?.1,
            let dimensions = header.firstMatch(of: /'shape':\s*\(([^)]*)\)/)?.1
        else { throw NumPyFileError.unsupportedHeader(path: path, header: header) }
        guard type == "<f4" else { throw NumPyFileError.unsupportedType(path: path, type: String(type)) }
        guard order == "False" else { throw NumPyFileError.fortranOrder(path: path) }
        let numbers = dimensions.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard numbers.count == 2, let rows = numbers[0], let columns = numbers[1], rows >= 0, columns >= 0 else {
            throw NumPyFileError.wrongShape(path: path, shape: "(\(dimensions))")
        }
        return (rows, columns)
    }
}

/// Why a file is not a matrix of gradients.
package enum NumPyFileError: Error, Equatable, CustomStringConvertible {
    case cannotOpen(path: String)
    case notNumPy(path: String)
    case unsupportedHeader(path: String, header: String)
    case unsupportedType(path: String, type: String)
    case fortranOrder(path: String)
    case wrongShape(path: String, shape: String)
    case wrongSize(path: String, rows: Int, columns: Int, dataBytes: Int)
    case empty(path: String, rows: Int, columns: Int)

    package var description: String {
        switch self {
        case .cannotOpen(let path):
            "'\(path)' cannot be opened: give the path of a readable .npy file."
        case .notNumPy(let path):
            "'\(path)' is not a NumPy file of version 1 to 3: write it with numpy.save."
        case .unsupportedHeader(let path, let header):
            "'\(path)' has a header that names no type, order and shape: \(header.prefix(200))"
        case .unsupportedType(let path, let type):
            "'\(path)' holds elements of type '\(type)', but must hold '<f4': save gradients.astype(numpy.float32)."
        case .fortranOrder(let path):
            "'\(path)' is in Fortran order, but must be in C order: save numpy.ascontiguousarray(gradients)."
        case .wrongShape(let path, let shape):
            "'\(path)' has the shape \(shape), but must have two dimensions: examples × parameters."
        case .wrongSize(let path, let rows, let columns, let dataBytes):
            "'\(path)' promises \(rows) × \(columns) Float32 elements, but holds \(dataBytes) bytes of them: "
                + "the file is damaged or was not written to its end."
        case .empty(let path, let rows, let columns):
            "'\(path)' has the shape \(rows) × \(columns): there is nothing to measure."
        }
    }
}
