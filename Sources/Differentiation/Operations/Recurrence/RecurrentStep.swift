/// What a cell computes with at one position: some consecutive examples' numbers, each example's beside each other.
struct RecurrentStep<Scalar: Real> {
    /// The number of examples.
    let rows: Int
    let width: Int
    let positions: Int
    var position = 0
    /// The products of the states before this position with the recurrent kernel, row after row.
    let products: UnsafeMutablePointer<Scalar>
    /// The gradients of the states, and of what the cell keeps from position to position, row after row.
    let stateGradients: UnsafeMutablePointer<Scalar>
    let keptGradients: UnsafeMutablePointer<Scalar>
    /// Memory for as many numbers as there are states, and `width` zeros, which are read where no bias is to be added.
    let work: UnsafeMutablePointer<Scalar>
    let zeros: UnsafeMutablePointer<Scalar>
    let bias: UnsafePointer<Scalar>

    private let gateCount: Int
    private let inputBase: UnsafePointer<Scalar>
    private let maskBase: UnsafePointer<Scalar>?
    private let gateBase: UnsafeMutablePointer<Scalar>
    private let keptBase: UnsafeMutablePointer<Scalar>
    private let stateBase: UnsafeMutablePointer<Scalar>
    private let outputBase: UnsafeMutablePointer<Scalar>
    private let firstExample: Int

    init(
        _ pass: ForwardPass<Scalar>, cell: RecurrentCell, examples: Range<Int>, products: UnsafeMutablePointer<Scalar>,
        rest: UnsafeMutablePointer<Scalar>
    ) {
        (rows, width, positions) = (examples.count, pass.parameterShapes[0][0], pass.inputShapes[0][0])
        (gateCount, firstExample) = (cell.gateCount, examples.lowerBound)
        let (wide, size) = (gateCount * width, examples.count * width)
        (self.products, stateGradients, keptGradients) = (products, rest, rest + size)
        (work, zeros) = (rest + 2 * size, rest + 3 * size)
        bias = pass.parameter(1).baseAddress!
        inputBase = pass.input(0) + firstExample * positions * wide
        maskBase = pass.inputShapes.count > 1 ? pass.input(1) + firstExample * positions : nil
        gateBase = pass.savedPart(at: 0) + firstExample * positions * wide
        keptBase = pass.savedPart(at: positions * wide) + firstExample * positions * width
        stateBase = pass.savedPart(at: positions * (wide + width)) + firstExample * positions * width
        outputBase = pass.output
    }

    /// From one example's numbers at a position to the next example's.
    var gateStride: Int { positions * gateCount * width }
    var stateStride: Int { positions * width }

    /// What the dense map has made of the input.
    func input(_ row: Int) -> UnsafePointer<Scalar> { inputBase + row * gateStride + position * gateCount * width }
    /// The gates, and on the way back, once the cell has written them, the gradients of what the recurrent kernel adds.
    func gates(_ row: Int) -> UnsafeMutablePointer<Scalar> {
        gateBase + row * gateStride + position * gateCount * width
    }
    /// What the cell keeps at this position, and what it kept at the one before.
    func kept(_ row: Int) -> UnsafeMutablePointer<Scalar> { keptBase + row * stateStride + position * width }
    func keptBefore(_ row: Int) -> UnsafeMutablePointer<Scalar> { position == 0 ? zeros : kept(row) - width }
    /// The state before this position.
    func previous(_ row: Int) -> UnsafeMutablePointer<Scalar> { stateBase + row * stateStride + position * width }
    /// Where the state after this position is written to: that after the last one is in nobody's way in `work`.
    func next(_ row: Int) -> UnsafeMutablePointer<Scalar> {
        position == positions - 1 ? work + row * width : previous(row) + width
    }
    /// Whether the position is not padding.
    func isThere(_ row: Int) -> Bool { maskBase.map { $0[row * positions + position] > 0 } ?? true }

    /// Copies the states after this position to where the operation's outputs lie.
    func writeOutputs(_ returned: ReturnedStates) {
        if returned == .last && position < positions - 1 { return }
        for row in 0..<rows {
            (outputBase + outputOffset(row, returned)).update(from: next(row), count: width)
        }
    }

    /// Adds the output gradients of this position to those of the states.
    func addOutputGradients(_ gradients: UnsafeMutablePointer<Scalar>, _ returned: ReturnedStates) {
        for row in 0..<rows {
            Scalar.add(
                UnsafePointer(gradients + outputOffset(row, returned)), to: stateGradients + row * width, count: width)
        }
    }

    private func outputOffset(_ row: Int, _ returned: ReturnedStates) -> Int {
        let example = firstExample + row
        return returned == .last ? example * width : (example * positions + position) * width
    }
}
