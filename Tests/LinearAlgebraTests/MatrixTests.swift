import LinearAlgebra
import Testing

struct MatrixTests {
    @Test func elementsLieRowAfterRow() {
        let matrix = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
        #expect((matrix.rows, matrix.columns, matrix.count) == (2, 3, 6))
        #expect(matrix.elements == [1, 2, 3, 4, 5, 6])
        for row in 0..<2 {
            for column in 0..<3 { #expect(matrix[row, column] == Float(3 * row + column + 1)) }
        }
        #expect(matrix.transposed[2, 1] == 6 && matrix.transposed[1, 0] == 2)
        #expect(Matrix(rows: 3, columns: 2).elements.bits == [UInt32](repeating: 0, count: 6))
    }

    @Test func emptyShapesHaveNoElements() {
        for (rows, columns) in [(0, 0), (0, 5), (5, 0)] {
            var matrix = Matrix(rows: rows, columns: columns, elements: [])
            #expect(matrix.count == 0 && matrix.elements.isEmpty)
            #expect(matrix.withElements { $0.count } == 0)
            #expect(matrix.withRows(0..<rows) { $0.count } == 0)
            #expect(matrix.withMutableRows(0..<rows) { $0.count } == 0)
        }
        #expect(Matrix(rows: 5, columns: 0).withRow(4) { $0.count } == 0)
    }

    @Test func aCopyKeepsItsElements() {
        let writes: [(String, (inout Matrix) -> Void)] = [
            ("subscript", { $0[1, 2] = -1 }),
            ("rows", { $0.withMutableRows(1..<2) { $0[2] = -1 } }),
            ("row", { $0.withMutableRow(1) { $0[2] = -1 } }),
            ("elements", { $0.withUnsafeMutableElements { $0[5] = -1 } }),
        ]
        for (name, write) in writes {
            var matrix = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
            let copy = matrix
            #expect(copy.address == matrix.address, "Copying alone must not copy elements.")
            write(&matrix)
            #expect(matrix.elements == [1, 2, 3, 4, 5, -1], "\(name)")
            #expect(copy.elements == [1, 2, 3, 4, 5, 6] && copy.address != matrix.address, "\(name)")
            // Control: what is not shared stays where it is, and the write is not lost.
            let before = matrix.address
            matrix[1, 2] = 6
            write(&matrix)
            #expect(matrix.address == before && matrix[1, 2] == -1, "\(name)")
        }
    }

    @Test func spansShowTheRowsInQuestion() {
        let elements = (0..<8).map { (place: Int) in Float(place) }
        var matrix = Matrix(rows: 4, columns: 2, elements: elements)
        #expect(matrix.withElements { span in span.indices.map { span[$0] } } == elements)
        #expect(matrix.withRows(1..<3) { span in span.indices.map { span[$0] } } == [2, 3, 4, 5])
        #expect(matrix.withRow(3) { span in span.indices.map { span[$0] } } == [6, 7])
        #expect(matrix.withRows(4..<4) { $0.count } == 0)
        matrix.withMutableRows(2..<4) { span in
            for index in span.indices { span[index] *= -1 }
        }
        #expect(matrix.elements == [0, 1, 2, 3, -4, -5, -6, -7])
        let isSameMemory = matrix.withUnsafeElements { all in
            matrix.withRow(2) { row in row.withUnsafeBufferPointer { $0.baseAddress == all.baseAddress! + 4 } }
        }
        #expect(isSameMemory)
    }

    @Test func errorsOfTheBodyComeThrough() {
        struct Refusal: Error, Equatable {}
        var matrix = Matrix(rows: 2, columns: 2)
        #expect(throws: Refusal()) { try matrix.withElements { _ throws(Refusal) -> Void in throw Refusal() } }
        #expect(throws: Refusal()) { try matrix.withRow(0) { _ throws(Refusal) -> Void in throw Refusal() } }
        #expect(throws: Refusal()) {
            try matrix.withMutableRow(0) { row throws(Refusal) -> Void in
                row[0] = 3
                throw Refusal()
            }
        }
        #expect(matrix[0, 0] == 3)
    }

    @Test func equalityIsOfShapesAndNumbers() {
        let matrix = Matrix(rows: 2, columns: 3, elements: [0, 1, 2, 3, 4, 5])
        var other = Matrix(rows: 2, columns: 3, elements: [-0.0, 1, 2, 3, 4, 5])
        #expect(matrix == other)
        other[1, 2] = 5.0000005
        #expect(matrix != other)
        #expect(matrix != Matrix(rows: 3, columns: 2, elements: matrix.elements))
        #expect(Matrix(rows: 0, columns: 3) != Matrix(rows: 3, columns: 0))
        #expect(Matrix(rows: 1, columns: 1, elements: [.nan]) != Matrix(rows: 1, columns: 1, elements: [.nan]))
    }

    @Test func memoryIsAligned() {
        for (rows, columns) in [(1, 1), (7, 13), (1023, 1025)] {
            #expect(Matrix(rows: rows, columns: columns).address % 64 == 0)
        }
        let large = Matrix(rows: 1024, columns: 1024)
        #expect(large.address % (2 << 20) == 0)
        var copy = large
        copy[0, 0] = 1
        #expect(copy.address % (2 << 20) == 0 && copy.address != large.address)
        // Control: a row's beginning is not aligned unless the row's length is.
        #expect(
            Matrix(rows: 2, columns: 13).withRow(1) { $0.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } } % 64
                != 0)
    }
}

/// Programmer mistakes: they end the process, and in debug builds say why.
struct MatrixTrapTests {
    private func expect(_ sentence: String, in result: ExitTest.Result?) {
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains(sentence))
        #endif
    }

    @Test func shapesThatCannotBeTrap() async {
        var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Matrix(rows: -1, columns: 2)
        }
        expect("A matrix cannot have the shape -1 × 2.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Matrix(rows: Int.max, columns: 2)
        }
        expect("has more elements than Int can count.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Matrix(rows: 1 << 31, columns: 1 << 30)
        }
        expect("is larger than the address space.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Matrix(rows: 2, columns: 2, elements: [1, 2, 3])
        }
        expect("3 elements do not fill a matrix of shape 2 × 2.", in: result)
        await #expect(processExitsWith: .success) { _ = Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4]) }
    }

    @Test func elementsOutsideTheShapeTrap() async {
        var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            print(Matrix(rows: 2, columns: 3)[0, 3])
        }
        expect("Element (0, 3) lies outside a matrix of shape 2 × 3.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var matrix = Matrix(rows: 2, columns: 3)
            matrix[-1, 0] = 1
        }
        expect("Element (-1, 0) lies outside a matrix of shape 2 × 3.", in: result)
        await #expect(processExitsWith: .success) {
            var matrix = Matrix(rows: 2, columns: 3)
            matrix[1, 2] = 1
            print(matrix[0, 2])
        }
    }

    @Test func rowsOutsideTheShapeTrap() async {
        var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Matrix(rows: 2, columns: 3).withRows(1..<3) { print($0.count) }
        }
        expect("Rows 1..<3 lie outside a matrix of shape 2 × 3.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Matrix(rows: 2, columns: 3).withRow(-1) { print($0.count) }
        }
        expect("Rows -1..<0 lie outside a matrix of shape 2 × 3.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var matrix = Matrix(rows: 2, columns: 3)
            matrix.withMutableRow(2) { $0[0] = 1 }
        }
        expect("Rows 2..<3 lie outside a matrix of shape 2 × 3.", in: result)
        await #expect(processExitsWith: .success) {
            var matrix = Matrix(rows: 2, columns: 3)
            matrix.withMutableRow(1) { $0[0] = 1 }
            matrix.withRows(2..<2) { print($0.count) }
        }
    }

    @Test func reshapingKeepsTheMemoryWhereItSuffices() {
        var matrix = Matrix(rows: 4, columns: 3)
        let address = matrix.address
        matrix.reshape(rows: 2, columns: 5)
        #expect(matrix.rows == 2 && matrix.columns == 5 && matrix.count == 10 && matrix.elements.count == 10)
        #expect(matrix.address == address)
        matrix.reshape(rows: 4, columns: 3)
        #expect(matrix.address == address && matrix.count == 12)
        matrix.reshape(rows: 5, columns: 3)
        #expect(matrix.count == 15)
    }

    @Test func reshapingLeavesCopiesAsTheyAre() {
        var matrix = Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4])
        let copy = matrix
        matrix.reshape(rows: 1, columns: 2)
        matrix[0, 0] = 9
        #expect(copy == Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4]))
        let view = copy.reshaped(columns: 4)
        #expect(view.rows == 1 && view.elements == [1, 2, 3, 4] && view.address == copy.address)
    }

    @Test func rowsThatAreNotWholeTrap() async {
        await #expect(processExitsWith: .failure) { _ = Matrix(rows: 2, columns: 3).reshaped(columns: 4) }
        await #expect(processExitsWith: .failure) {
            var matrix = Matrix(rows: 1, columns: 1)
            matrix.reshape(rows: -1, columns: 1)
        }
    }

    @Test func rowsOfOneLengthMakeAMatrix() async {
        let matrix = Matrix([[1, 2, 3], [4, 5, 6]])
        #expect(matrix == Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6]))
        #expect("\(matrix)" == "2 × 3 [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]")
        #expect(Matrix([]) == Matrix(rows: 0, columns: 0))
        #expect(Matrix([[], []]).rows == 2)
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Matrix([[1, 2], [3, 4], [5]])
        }
        expect("Row 2 has 1 numbers, but row 0 has 2", in: result)
    }
}
