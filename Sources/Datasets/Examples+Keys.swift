import LinearAlgebra

extension Examples {
    /// A number for each example, that it draws from in this step: of the example itself and of ``drawKey``.
    ///
    /// **Guarantee:** an example's key depends on the numbers of that example and on the step alone, and so neither on
    /// its place in the data set nor on other examples: what is drawn from it is part of the function that is clipped.
    package var keys: [UInt64] {
        (0..<count).map { example in
            var key = drawKey
            func add(_ bits: UInt64) {
                var generator = SplitMix64(seed: key ^ bits)
                key = generator.next()
            }
            inputs.withRow(example) { row in for index in row.indices { add(UInt64(row[index].bitPattern)) } }
            switch targets[example] {
            case .class(let number): add(UInt64(bitPattern: Int64(number)))
            case .values(let values): for value in values { add(UInt64(value.bitPattern)) }
            }
            if let lengths { add(UInt64(lengths[example])) }
            return key
        }
    }
}
