import Requirements

/// Some positions that follow each other, or one of them alone.
struct PositionSlice: Operation {
    let range: Range<Int>
    /// Whether the dimension of positions goes.
    let isOne: Bool

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        (isOne ? [] : [range.count]) + inputs[0].dropFirst()
    }

    func isDifferentiable(input index: Int) -> Bool { index == 0 }

    /// Whether the one position is padding.
    private func isPadding<S: Real>(_ example: Int, _ pass: ForwardPass<S>) -> Bool {
        pass.inputShapes.count > 1 && pass.input(1, of: example)[range.lowerBound] == 0
    }

    private func part<S: Real>(_ pass: ForwardPass<S>) -> Range<Int> {
        let width = pass.count(ofInput: 0) / pass.inputShapes[0][0]
        return range.lowerBound * width..<range.upperBound * width
    }

    @_specialize(where S == Float)
    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let part = part(pass)
        pass.forEachExample(work: part.count) { example in
            let output = pass.output(of: example)
            if isPadding(example, pass) {
                output.update(repeating: 0)
            } else {
                _ = output.update(fromContentsOf: pass.input(0, of: example)[part])
            }
        }
    }

    @_specialize(where S == Float)
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let part = part(pass.forward)
        pass.forEachExample { example in
            guard let gradient = pass.inputGradient(0, of: example) else { return }
            gradient.update(repeating: 0)
            if isPadding(example, pass.forward) { return }
            _ = gradient[part].update(fromContentsOf: pass.outputGradient(of: example))
        }
    }
}

extension Value {
    /// The positions in `range`: shape `[range.count, …]`. Padding stays padding. Traps unless there are such
    /// positions.
    public func positions(_ range: Range<Int>) -> Value {
        requirePositions(range, shape)
        let slice = applying(PositionSlice(range: range, isOne: false), mask: nil)
        return Value(
            recorder: recorder, node: slice.node, shape: slice.shape,
            mask: mask.map { recorder.slice($0, shape, range) })
    }

    /// The position `index` alone: the shape without its first dimension. Zeros where it is padding. Traps unless there
    /// is such a position.
    public func position(_ index: Int) -> Value {
        requirePositions(index..<index + 1, shape)
        return applying(PositionSlice(range: index..<index + 1, isOne: true), inputs: maskInput, mask: nil)
    }
}

extension Indices {
    /// The indices at the positions in `range`. Padding stays padding. Traps unless there are such positions.
    public func positions(_ range: Range<Int>) -> Indices {
        requirePositions(range, shape, least: 1)
        let slice = recorder.append(
            PositionSlice(range: range, isOne: false), inputs: [(node, shape)], parameters: [])
        return Indices(
            recorder: recorder, node: slice.node, shape: slice.shape,
            mask: mask.map { recorder.slice($0, shape, range) })
    }
}

extension Recorder {
    /// The part of a mask for the positions in `range`.
    fileprivate func slice(_ mask: Int, _ shape: [Int], _ range: Range<Int>) -> Int {
        append(PositionSlice(range: range, isOne: false), inputs: [(mask, [shape[0]])], parameters: []).node
    }
}

private func requirePositions(_ range: Range<Int>, _ shape: [Int], least: Int = 2) {
    require(
        shape.count >= least && !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0],
        "The positions \(range) are not among those of a shape \(shape).")
}
