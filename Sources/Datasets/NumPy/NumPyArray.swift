import LinearAlgebra
import Requirements

/// An array from a file in NumPy's format (numpy.lib.format, versions 1 to 3), plain or gzip.
///
/// Elements are Float32, Float64, signed or unsigned whole numbers of 1, 2, 4 or 8 bytes, or bool, in either byte
/// order, and in C or Fortran order.
public struct NumPyArray: Sendable {
    /// The lengths of the dimensions.
    public let shape: [Int]
    /// The elements' type as NumPy writes it, such as `<f4`.
    public let type: String
    let elementType: NumPyType
    private let isFortranOrder: Bool
    /// The elements as they stand in the file.
    private let bytes: ArraySlice<UInt8>

    /// Reads the file at `path`.
    ///
    /// Throws ``DatasetError`` if the file cannot be read, has or inflates to more than `limit` bytes, breaks the
    /// format, or promises another length than it has (nothing is allocated then).
    public init(contentsOf path: String, limit: Int = FileContents.usualLimit) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        try self.init(bytes, path: path)
    }

    /// The array in the bytes of a file; `path` names it in errors.
    init(_ bytes: [UInt8], path: String) throws(DatasetError) {
        do throws(NumPyProblem) {
            let header = try NumPyHeader(bytes)
            shape = header.shape
            type = header.type
            guard let elementType = NumPyType(type) else { throw .unsupportedType(type) }
            self.elementType = elementType
            isFortranOrder = header.isFortranOrder
            self.bytes = bytes[header.length...]
            guard Self.byteCount(shape, elementType) == self.bytes.count else {
                throw .sizeMismatch(shape: shape, type: type, bytes: self.bytes.count)
            }
        } catch {
            throw .numPy(path: path, problem: error)
        }
    }

    /// An array of `elements`, in C order, as they stand in a file. Traps unless they are as many as the shape says.
    init(shape: [Int], type: String, elementType: NumPyType, elements: [UInt8]) {
        require(
            Self.byteCount(shape, elementType) == elements.count,
            "\(elements.count) bytes do not fill an array of shape \(shape) and type \(type).")
        self.shape = shape
        self.type = type
        self.elementType = elementType
        isFortranOrder = false
        bytes = elements[...]
    }

    /// The number of bytes of the elements; nil if they, or those of an array with 1 in the place of 0, are more than
    /// `Int` counts.
    static func byteCount(_ shape: [Int], _ type: NumPyType) -> Int? {
        var bytes = type.size
        for dimension in shape where dimension != 0 {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            bytes = product
        }
        return shape.contains(0) ? 0 : bytes
    }

    /// The number of elements.
    public var count: Int { bytes.count / elementType.size }

    /// The number of rows of ``matrix()``: the first dimension.
    public var rows: Int { shape.first ?? 1 }

    /// The number of columns of ``matrix()``: the product of the dimensions after the first.
    public var columns: Int { shape.dropFirst().reduce(1, *) }

    /// The elements as Float32, rounded to nearest, without any scaling: a row for each index of the first dimension,
    /// the other dimensions flattened in C order.
    public func matrix() -> Matrix {
        var matrix = Matrix(rows: rows, columns: columns)
        matrix.withUnsafeMutableElements { target in
            #if _endian(little)
                if type == "<f4", !isFortranOrder {
                    bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
                    return
                }
            #endif
            switch (elementType.kind, elementType.size) {
            case (.float, 4): forEach(UInt32.self) { target[$0] = Float(bitPattern: $1) }
            case (.float, _): forEach(UInt64.self) { target[$0] = Float(Double(bitPattern: $1)) }
            case (.unsigned, 8): forEach(UInt64.self) { target[$0] = Float($1) }
            default: forEachInt { target[$0] = Float($1) }
            }
        }
        return matrix
    }

    /// The elements as whole numbers, in C order; what is larger than `Int.max` becomes `Int.max`. Nil unless the type
    /// is one of whole numbers, or bool.
    func wholeNumbers() -> [Int]? {
        guard elementType.kind != .float else { return nil }
        var numbers = [Int](repeating: 0, count: count)
        numbers.withUnsafeMutableBufferPointer { target in
            if elementType.kind == .unsigned && elementType.size == 8 {
                forEach(UInt64.self) { target[$0] = Int(clamping: $1) }
            } else {
                forEachInt { target[$0] = $1 }
            }
        }
        return numbers
    }

    /// Calls `body` with each element's place in C order and its value, which `Int` must be able to hold.
    private func forEachInt(_ body: (_ place: Int, _ value: Int) -> Void) {
        let isSigned = elementType.kind == .signed
        switch elementType.size {
        case 1: forEach(UInt8.self) { body($0, isSigned ? Int(Int8(bitPattern: $1)) : Int($1)) }
        case 2: forEach(UInt16.self) { body($0, isSigned ? Int(Int16(bitPattern: $1)) : Int($1)) }
        case 4: forEach(UInt32.self) { body($0, isSigned ? Int(Int32(bitPattern: $1)) : Int($1)) }
        default: forEach(UInt64.self) { body($0, Int(Int64(bitPattern: $1))) }
        }
    }

    /// Calls `body` with each element's place in C order and its bits, in the file's order.
    private func forEach<Word: FixedWidthInteger>(_: Word.Type, _ body: (_ place: Int, _ word: Word) -> Void) {
        bytes.withUnsafeBytes { source in
            func word(_ index: Int) -> Word {
                let word = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self)
                return elementType.isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)
            }
            guard isFortranOrder, shape.count > 1 else {
                for index in 0..<count { body(index, word(index)) }
                return
            }
            var strides = shape.map { _ in 1 }
            for dimension in shape.indices.dropLast().reversed() {
                strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
            }
            // An odometer whose first wheel turns fastest.
            var position = shape.map { _ in 0 }
            var place = 0
            for index in 0..<count {
                body(place, word(index))
                for dimension in shape.indices {
                    position[dimension] += 1
                    place += strides[dimension]
                    if position[dimension] < shape[dimension] { break }
                    place -= strides[dimension] * shape[dimension]
                    position[dimension] = 0
                }
            }
        }
    }
}
