import LinearAlgebra

/// What an operation computes from and writes to on the way forward: a block of examples.
///
/// Where an operation's memory begins is the same as where its first example's numbers do; each example's numbers
/// follow those of the one before without gaps.
public struct ForwardPass<Scalar: Real> {
    /// The number of examples.
    public let exampleCount: Int
    /// The shapes of one example's inputs, and of the parameters.
    public let inputShapes: [[Int]]
    /// The shapes of the parameters.
    public let parameterShapes: [[Int]]
    /// The shape of one example's output.
    public let outputShape: [Int]
    /// Whether the model is trained, and not evaluated: where an operation is random, it is so in training only.
    public let isTraining: Bool
    /// A number for each example that an operation may draw from. It depends on the example and on the step alone.
    public let exampleKeys: [UInt64]
    /// The operation's place on the tape: operations that draw must not draw the same numbers.
    public let place: Int

    let inputs: [UnsafeMutablePointer<Scalar>]
    let inputCounts: [Int]
    let parameters: [UnsafePointer<Scalar>]
    let parameterCounts: [Int]
    let outputs: UnsafeMutablePointer<Scalar>
    let outputCount: Int
    let savedNumbers: UnsafeMutablePointer<Scalar>
    let savedCount: Int
    let scratchCount: Int

    /// The first number of all examples' inputs.
    public func input(_ index: Int) -> UnsafePointer<Scalar> { UnsafePointer(inputs[index]) }
    /// How many numbers input `index` has for each example.
    public func count(ofInput index: Int) -> Int { inputCounts[index] }
    /// One example's input.
    public func input(_ index: Int, of example: Int) -> UnsafeBufferPointer<Scalar> {
        let count = inputCounts[index]
        return UnsafeBufferPointer(start: inputs[index] + example * count, count: count)
    }
    /// A parameter's elements.
    public func parameter(_ index: Int) -> UnsafeBufferPointer<Scalar> {
        UnsafeBufferPointer(start: parameters[index], count: parameterCounts[index])
    }
    /// The first number of all examples' outputs.
    public var output: UnsafeMutablePointer<Scalar> { outputs }
    /// One example's output.
    public func output(of example: Int) -> UnsafeMutableBufferPointer<Scalar> {
        UnsafeMutableBufferPointer(start: outputs + example * outputCount, count: outputCount)
    }
    /// The first of the numbers that are kept for the way back.
    public var saved: UnsafeMutablePointer<Scalar> { savedNumbers }
    /// The numbers that are kept of one example.
    public func saved(of example: Int) -> UnsafeMutableBufferPointer<Scalar> {
        UnsafeMutableBufferPointer(start: savedNumbers + example * savedCount, count: savedCount)
    }
    /// The first number of a part of what is kept, for operations that keep several things: each part has the numbers
    /// of all examples beside each other, so that it can be a factor of a ``ParameterGradient``.
    ///
    /// - Parameter offset: how many numbers of one example lie in the parts before.
    public func savedPart(at offset: Int) -> UnsafeMutablePointer<Scalar> { savedNumbers + exampleCount * offset }
}

/// What an operation computes from and writes to on the way back.
public struct BackwardPass<Scalar: Real> {
    /// What the forward pass had, with what it wrote.
    public let forward: ForwardPass<Scalar>

    let outputGradients: NumberBlock<Scalar>
    let inputGradients: [UnsafeMutablePointer<Scalar>?]
    let inputBlocks: [NumberBlock<Scalar>]
    let savedBlock: NumberBlock<Scalar>

    /// The number of examples.
    public var exampleCount: Int { forward.exampleCount }
    /// One example's input.
    public func input(_ index: Int, of example: Int) -> UnsafeBufferPointer<Scalar> {
        forward.input(index, of: example)
    }
    /// A parameter's elements.
    public func parameter(_ index: Int) -> UnsafeBufferPointer<Scalar> { forward.parameter(index) }
    /// One example's output.
    public func output(of example: Int) -> UnsafeBufferPointer<Scalar> {
        UnsafeBufferPointer(forward.output(of: example))
    }
    /// The numbers that were kept of one example; an operation may write to them for ``ParameterGradient/rows(_:)``.
    public func saved(of example: Int) -> UnsafeMutableBufferPointer<Scalar> { forward.saved(of: example) }

    /// The first number of all examples' output gradients.
    public var outputGradient: UnsafeMutablePointer<Scalar> { outputGradients.base }
    /// One example's output gradient.
    public func outputGradient(of example: Int) -> UnsafeMutableBufferPointer<Scalar> {
        let count = forward.outputCount
        return UnsafeMutableBufferPointer(start: outputGradients.base + example * count, count: count)
    }
    /// The first number of all examples' gradients of an input, to be written; nil where nobody asks for them.
    public func inputGradient(_ index: Int) -> UnsafeMutablePointer<Scalar>? { inputGradients[index] }
    /// One example's gradient of an input, to be written; nil where nobody asks for it.
    public func inputGradient(_ index: Int, of example: Int) -> UnsafeMutableBufferPointer<Scalar>? {
        let count = forward.inputCounts[index]
        return inputGradients[index].map { UnsafeMutableBufferPointer(start: $0 + example * count, count: count) }
    }

    /// An input as a block with rows of `columns` numbers: for ``ParameterGradient``.
    public func inputBlock(_ index: Int, columns: Int) -> NumberBlock<Scalar> {
        inputBlocks[index].reshaped(columns: columns)
    }
    /// The output gradients as a block with rows of `columns` numbers.
    public func outputGradientBlock(columns: Int) -> NumberBlock<Scalar> {
        outputGradients.reshaped(columns: columns)
    }
    /// The kept numbers as a block with a row for each example.
    public var savedNumbers: NumberBlock<Scalar> { savedBlock }
    /// A part of the kept numbers, see ``ForwardPass/savedPart(at:)``, as a block with rows of `columns` numbers.
    ///
    /// - `offset`: how many numbers of one example lie in the parts before.
    /// - `count`: how many numbers of one example the part has.
    public func savedBlock(at offset: Int, count: Int, columns: Int) -> NumberBlock<Scalar> {
        savedBlock.part(exampleCount * offset..<exampleCount * (offset + count), columns: columns)
    }
}

extension ForwardPass {
    /// Calls `body` for every example, on several threads at once.
    ///
    /// - `work`: how many numbers pass through a core for one example; nil for inputs and outputs.
    public func forEachExample(work: Int? = nil, _ body: (_ example: Int) -> Void) {
        withScratch(work: work) { example, _ in body(example) }
    }

    /// The same, with the thread's own ``Operation/scratchCount(inputs:parameters:)`` numbers of working memory.
    public func withScratch(
        work: Int? = nil, _ body: (_ example: Int, _ scratch: UnsafeMutableBufferPointer<Scalar>) -> Void
    ) {
        forEachBlock(of: 1, work: work) { body($0.lowerBound, $1) }
    }

    /// Calls `body` for up to `length` consecutive examples at a time, on several threads at once, with working memory
    /// for each of them.
    ///
    /// What an example's numbers are must not depend on the others in its block.
    public func forEachBlock(
        of length: Int, work: Int? = nil,
        _ body: (_ examples: Range<Int>, _ scratch: UnsafeMutableBufferPointer<Scalar>) -> Void
    ) {
        let work = work ?? outputCount + inputCounts.reduce(0, +)
        Threads.withTeam(of: exampleCount * work / Threads.workPerThread(1 << 14)) { member in
            let share = member.share(of: 0..<exampleCount)
            withUnsafeTemporaryAllocation(of: Scalar.self, capacity: max(1, scratchCount * length)) { scratch in
                for begin in stride(from: share.lowerBound, to: share.upperBound, by: length) {
                    body(begin..<min(begin + length, share.upperBound), scratch)
                }
            }
        }
    }
}

extension BackwardPass {
    /// Calls `body` for every example, on several threads at once.
    public func forEachExample(work: Int? = nil, _ body: (_ example: Int) -> Void) {
        forward.forEachExample(work: work, body)
    }

    /// The same, with the thread's own working memory.
    public func withScratch(
        work: Int? = nil, _ body: (_ example: Int, _ scratch: UnsafeMutableBufferPointer<Scalar>) -> Void
    ) {
        forward.withScratch(work: work, body)
    }

    /// The same for up to `length` consecutive examples at a time.
    public func forEachBlock(
        of length: Int, work: Int? = nil,
        _ body: (_ examples: Range<Int>, _ scratch: UnsafeMutableBufferPointer<Scalar>) -> Void
    ) {
        forward.forEachBlock(of: length, work: work, body)
    }
}
