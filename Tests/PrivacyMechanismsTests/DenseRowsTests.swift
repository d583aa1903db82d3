import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct DenseRowsTests {
    private static func sum(_ rows: DenseRows) throws -> [Float] {
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 0)
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: .infinity), transform: IdentityTransform(layout: rows.layout), noiseMultiplier: 0)
        aggregate.add(rows)
        return try aggregate.privatized(noise: &noise).vector.values
    }

    @Test func ownedBorrowedAndStridedRowsAgree() throws {
        let layout = flatLayout(5)
        let elements = (0..<35).map { Float($0) }
        let matrix = Matrix(rows: 7, columns: 5, elements: elements)
        let expected = (0..<5).map { (column: Int) -> Float in
            (0..<7).reduce(0) { $0 + elements[$1 * 5 + column] }
        }
        #expect(try Self.sum(DenseRows(matrix, layout: layout)) == expected)
        #expect(
            try DenseRows.withRows(over: elements.span, exampleCount: 7, layout: layout) { try Self.sum($0) }
                == expected)
        // Rows of five among columns of seven: the last two belong to somebody else.
        let wide = (0..<7).flatMap { (row: Int) -> [Float] in elements[row * 5..<row * 5 + 5] + [.nan, .infinity] }
        try wide.withUnsafeBufferPointer { wide in
            let rows = try DenseRows(unsafeRows: wide.baseAddress!, exampleCount: 7, stride: 7, layout: layout)
            #expect(try Self.sum(rows) == expected)
        }
    }

    @Test func rowsAreNotCopied() throws {
        let layout = flatLayout(1_000)
        var matrix = Matrix(rows: 3, columns: 1_000)
        let rows = try DenseRows(matrix, layout: layout)
        // Writing to the matrix copies it, and leaves the rows as they were.
        matrix[0, 0] = 5
        #expect(try Self.sum(rows)[0] == 0)
        let again = try DenseRows(matrix, layout: layout)
        #expect(try Self.sum(again)[0] == 5)
    }

    @Test func rowsOfAnotherLengthAreRefused() throws {
        #expect(throws: PrivacyMechanismError.rowLengthMismatch(columns: 4, layoutCount: 5)) {
            _ = try DenseRows(Matrix(rows: 2, columns: 4), layout: flatLayout(5))
        }
        let elements: [Float] = [1, 2, 3]
        #expect(
            throws: PrivacyMechanismError.elementCountMismatch(elements: 3, exampleCount: 2, columns: 2)
        ) {
            try DenseRows.withRows(over: elements.span, exampleCount: 2, layout: flatLayout(2)) { _ in }
        }
        #expect(throws: PrivacyMechanismError.lossCountMismatch(losses: 1, exampleCount: 2)) {
            _ = try DenseRows(Matrix(rows: 2, columns: 5), layout: flatLayout(5), nonPrivateLosses: [1])
        }
        elements.withUnsafeBufferPointer { elements in
            _ = #expect(throws: PrivacyMechanismError.rowLengthMismatch(columns: 1, layoutCount: 2)) {
                _ = try DenseRows(
                    unsafeRows: elements.baseAddress!, exampleCount: 2, stride: 1, layout: flatLayout(2))
            }
        }
    }

    @Test func normsAreThoseOfTheRows() throws {
        let layout = TreeLayout.reference
        var generator = SeededGenerator(seed: 31)
        let elements = (0..<23 * 17).map { _ in generator.float() }
        let rows = try DenseRows(Matrix(rows: 23, columns: 17, elements: elements), layout: layout)
        let rule = try ClippingRule.perSubtree(l2ClipNorms: ["dense": 1, "temperature": 0.2])
        var aggregate = try ClippedAggregate(rule, transform: IdentityTransform(layout: layout), noiseMultiplier: 0)
        let outputs = aggregate.addReturningNonPrivateOutputs(rows)
        for example in 0..<23 {
            let row = elements[example * 17..<(example + 1) * 17].map(Double.init)
            let norm = try #require(outputs.norms[example]["dense"])
            #expect(abs(norm - row[..<16].norm) <= 20 * 0x1p-53 * norm)
        }
    }

    /// What wraps dense rows asks them the two questions; training goes through the one pass.
    @Test func theTwoQuestionsAgreeWithTheFusedPass() throws {
        let layout = TreeLayout.reference
        var generator = SeededGenerator(seed: 32)
        var matrix = Matrix(rows: 23, columns: 17, elements: (0..<23 * 17).map { _ in generator.float() })
        let rows = try DenseRows(matrix, layout: layout)
        matrix[22, 3] += 1
        let others = try DenseRows(matrix, layout: layout)
        let padding = (0..<23).map { $0 % 5 == 0 }
        func sum(_ gradients: some PerExampleGradients, _ transform: some PreClippingTransform) throws -> [Float] {
            var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 0)
            var aggregate = try ClippedAggregate(
                .perSubtree(l2ClipNorms: ["dense": 1, "temperature": 0.2]), transform: transform, noiseMultiplier: 0)
            aggregate.add(gradients, padding: padding)
            return try aggregate.privatized(noise: &noise).vector.values
        }
        let scale = try ParameterVector(values: (0..<17).map { _ in generator.float(0.1...3) }, layout: layout)
        let diagonal = try DiagonalTransform(scale: scale)
        #expect(try sum(ForeignGradients(base: rows), diagonal) == sum(rows, diagonal))
        let identity = IdentityTransform(layout: layout)
        #expect(try sum(ForeignGradients(base: rows), identity) == sum(rows, identity))
        // Control: an element of the last row counts.
        #expect(try sum(ForeignGradients(base: others), identity) != sum(rows, identity))
    }

    @Test func moreThanTwoToTheThirtyFirstElements() throws {
        // Untouched pages of an anonymous mapping are all the one zero page, so 8.8 GB of rows take no memory.
        let (examples, columns) = (2_200_000, 1_000)
        let bytes = examples * columns * 4
        #expect(examples * columns > Int(Int32.max))
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
            memory != MAP_FAILED
        else {
            Issue.record("The system granted no address space of \(bytes) bytes.")
            return
        }
        defer { munmap(memory, bytes) }
        let elements = memory.bindMemory(to: Float.self, capacity: examples * columns)
        elements[0] = 1
        elements[examples * columns - 1] = 2
        elements[(examples - 1) * columns] = 3
        let rows = try DenseRows(
            unsafeRows: UnsafePointer(elements), exampleCount: examples, layout: flatLayout(columns))
        let sum = try Self.sum(rows)
        #expect(sum[0] == 4 && sum[columns - 1] == 2 && sum[1..<columns - 1].allSatisfy { $0 == 0 })
    }
}
