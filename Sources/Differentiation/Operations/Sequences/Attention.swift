import Requirements

/// softmax(Q·Kᵀ/√d)·V for each head: d features of the queries, keys and values beside each other.
///
/// Probabilities are computed again on the way back, from the same numbers in the same order, and so in every bit the
/// same: memory for them would grow with the square of the positions.
struct Attention: Operation {
    let heads: Int
    let isCausal: Bool
    /// Which further input says where queries, and keys, are no padding.
    let queryMask: Int?
    let keyMask: Int?

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        let (queries, keys, values) = (inputs[0], inputs[1], inputs[2])
        require(
            queries.count == 2 && keys.count == 2 && values.count == 2 && queries[1] == keys[1] && keys[0] == values[0],
            "Queries of shape \(queries), keys of shape \(keys) and values of shape \(values) do not fit together: "
                + "queries and keys have the same features, and keys and values the same positions.")
        require(
            heads >= 1 && queries[1].isMultiple(of: heads) && values[1].isMultiple(of: heads),
            "\(heads) heads do not divide the features of queries of shape \(queries) and values of shape \(values).")
        require(
            !isCausal || queries[0] == keys[0],
            "Causal attention is from one sequence to itself, and not from queries of shape \(queries) to keys of "
                + "shape \(keys).")
        return [queries[0], values[1]]
    }

    func isDifferentiable(input index: Int) -> Bool { index < 3 }

    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int {
        let sizes = sizes(inputs)
        return 2 * sizes.queries * sizes.keys + max(sizes.queries, sizes.keys) * max(sizes.width, sizes.valueWidth)
            + sizes.keys
    }

    /// Positions and the features of a head.
    private struct Sizes {
        let queries: Int
        let keys: Int
        let width: Int
        let valueWidth: Int
    }

    private func sizes(_ inputs: [[Int]]) -> Sizes {
        Sizes(
            queries: inputs[0][0], keys: inputs[1][0], width: inputs[0][1] / heads, valueWidth: inputs[2][1] / heads)
    }

    /// Numbers that pass through a core for one example.
    private func work(_ sizes: Sizes) -> Int { heads * sizes.queries * sizes.keys * (8 + sizes.width / 4) }

    /// Writes 0 for each key, and −∞ for those that are padding.
    private func writeKeyMask<S: Real>(_ example: Int, _ pass: ForwardPass<S>, into mask: UnsafeMutablePointer<S>) {
        let keys = pass.inputShapes[1][0]
        mask.update(repeating: 0, count: keys)
        guard let keyMask else { return }
        let isThere = pass.input(keyMask, of: example)
        for key in 0..<keys where isThere[key] == 0 { mask[key] = -.infinity }
    }

    /// A head's probabilities, queries × keys: exactly 0 where a query or a key is padding, or a key comes later.
    private func writeProbabilities<S: Real>(
        of head: Int, _ example: Int, _ pass: ForwardPass<S>, mask: UnsafePointer<S>,
        into scores: UnsafeMutablePointer<S>
    ) {
        let sizes = sizes(pass.inputShapes)
        let (queries, keys) = (pass.input(0, of: example).baseAddress!, pass.input(1, of: example).baseAddress!)
        let (offset, step) = (head * sizes.width, heads * sizes.width)
        S.multiplyOnThisThread(
            rows: sizes.queries, columns: sizes.keys, inner: sizes.width, Strided(queries + offset, stride: step),
            Strided(keys + offset, stride: step).transposed, into: scores)
        let scale = 1 / S(sizes.width).squareRoot()
        let isThere = queryMask.map { pass.input($0, of: example) }
        for query in 0..<sizes.queries {
            let row = scores + query * sizes.keys
            let count = isThere.map { $0[query] > 0 } ?? true ? (isCausal ? query + 1 : sizes.keys) : 0
            S.softmax(row, scale: scale, mask: mask, Rows(1, of: count))
            (row + count).update(repeating: 0, count: sizes.keys - count)
        }
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let sizes = sizes(pass.inputShapes)
        let (pairs, step) = (sizes.queries * sizes.keys, heads * sizes.valueWidth)
        pass.withScratch(work: work(sizes)) { example, scratch in
            let scores = scratch.baseAddress!
            let (part, mask) = (scores + pairs, scores + scratch.count - sizes.keys)
            let (values, output) = (pass.input(2, of: example).baseAddress!, pass.output(of: example).baseAddress!)
            writeKeyMask(example, pass, into: mask)
            for head in 0..<heads {
                writeProbabilities(of: head, example, pass, mask: mask, into: scores)
                S.multiplyOnThisThread(
                    rows: sizes.queries, columns: sizes.valueWidth, inner: sizes.keys,
                    Strided(UnsafePointer(scores), stride: sizes.keys),
                    Strided(values + head * sizes.valueWidth, stride: step), into: part)
                copy(part, sizes.queries, sizes.valueWidth, to: output + head * sizes.valueWidth, stride: step)
            }
        }
    }

    /// With P the probabilities and E the output gradients of a head: V's gradient is PᵀE, and with S that of the
    /// scores, which the softmax makes of E·Vᵀ, Q's is S·K and K's is SᵀQ.
    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let sizes = sizes(pass.forward.inputShapes)
        let (pairs, step) = (sizes.queries * sizes.keys, heads * sizes.width)
        let valueStep = heads * sizes.valueWidth
        pass.withScratch(work: 3 * work(sizes)) { example, scratch in
            let probabilities = scratch.baseAddress!
            let scores = probabilities + pairs
            let (part, mask) = (scores + pairs, probabilities + scratch.count - sizes.keys)
            let inputs = (0..<3).map { pass.input($0, of: example).baseAddress! }
            let gradients = (0..<3).map { pass.inputGradient($0, of: example)?.baseAddress }
            let errors = UnsafePointer(pass.outputGradient(of: example).baseAddress!)
            writeKeyMask(example, pass.forward, into: mask)
            for head in 0..<heads {
                let (offset, valueOffset) = (head * sizes.width, head * sizes.valueWidth)
                let own = Strided(errors + valueOffset, stride: valueStep)
                writeProbabilities(of: head, example, pass.forward, mask: mask, into: probabilities)
                if let gradient = gradients[2] {
                    S.multiplyOnThisThread(
                        rows: sizes.keys, columns: sizes.valueWidth, inner: sizes.queries,
                        Strided(UnsafePointer(probabilities), stride: sizes.keys).transposed, own, into: part)
                    copy(part, sizes.keys, sizes.valueWidth, to: gradient + valueOffset, stride: valueStep)
                }
                if gradients[0] == nil && gradients[1] == nil { continue }
                S.multiplyOnThisThread(
                    rows: sizes.queries, columns: sizes.keys, inner: sizes.valueWidth, own,
                    Strided(inputs[2] + valueOffset, stride: valueStep).transposed, into: scores)
                S.softmaxBackward(
                    scores, probabilities: probabilities, scale: 1 / S(sizes.width).squareRoot(),
                    Rows(sizes.queries, of: sizes.keys))
                let product = Strided(UnsafePointer(scores), stride: sizes.keys)
                if let gradient = gradients[0] {
                    S.multiplyOnThisThread(
                        rows: sizes.queries, columns: sizes.width, inner: sizes.keys, product,
                        Strided(inputs[1] + offset, stride: step), into: part)
                    copy(part, sizes.queries, sizes.width, to: gradient + offset, stride: step)
                }
                if let gradient = gradients[1] {
                    S.multiplyOnThisThread(
                        rows: sizes.keys, columns: sizes.width, inner: sizes.queries, product.transposed,
                        Strided(inputs[0] + offset, stride: step), into: part)
                    copy(part, sizes.keys, sizes.width, to: gradient + offset, stride: step)
                }
            }
        }
    }

    /// Writes rows of `count` numbers `stride` numbers after each other.
    private func copy<S: Real>(
        _ rows: UnsafeMutablePointer<S>, _ rowCount: Int, _ count: Int, to target: UnsafeMutablePointer<S>, stride: Int
    ) {
        for row in 0..<rowCount { (target + row * stride).update(from: rows + row * count, count: count) }
    }
}

/// softmax(Q·Kᵀ/√d)·V, for each of `heads` heads of d features: shape `[queries, value features]`.
///
/// Keys that are padding have no weight, and queries that are padding have zeros: nothing goes back to either. Source:
/// arXiv 1706.03762, section 3.2. Traps unless queries and keys have the same features, keys and values the same
/// positions, and heads divide the features.
///
/// - `isCausal`: whether a position attends to itself and to those before it alone.
public func attention(
    queries: Value, keys: Value, values: Value, heads: Int, isCausal: Bool = false
) -> Value {
    let masks = [queries, keys].map(\.maskInput)
    let queryMask = masks[0].isEmpty ? nil : 3
    let keyMask = masks[1].isEmpty ? nil : 3 + masks[0].count
    return queries.applying(
        Attention(heads: heads, isCausal: isCausal, queryMask: queryMask, keyMask: keyMask),
        inputs: [(keys.node, keys.shape), (values.node, values.shape)] + masks[0] + masks[1], mask: queries.mask)
}
