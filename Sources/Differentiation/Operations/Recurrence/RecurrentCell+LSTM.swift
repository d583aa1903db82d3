extension RecurrentCell {
    /// i, f, g and o; the memory is kept.
    @_specialize(where S == Float)
    func forwardLSTM<S: Real>(_ step: RecurrentStep<S>) {
        let width = step.width
        for row in 0..<step.rows {
            let (gates, input) = (step.gates(row), step.input(row))
            let product = UnsafePointer(step.products + row * 4 * width)
            for index in 0..<4 * width { gates[index] = input[index] + product[index] }
        }
        for (gate, count, activation) in [(0, 2, Self.sigmoid), (2, 1, .tanh), (3, 1, Self.sigmoid)] {
            apply(
                activation, to: step.gates(0) + gate * width, bias: step.bias + gate * width, count: count * width,
                step, stride: step.gateStride)
        }
        for row in 0..<step.rows {
            let i = UnsafePointer(step.gates(row))
            let (f, g) = (i + width, i + 2 * width)
            let (before, kept) = (UnsafePointer(step.keptBefore(row)), step.kept(row))
            for index in 0..<width { kept[index] = f[index] * before[index] + i[index] * g[index] }
        }
        writeTangents(step)
        for row in 0..<step.rows {
            let (o, tangent) = (UnsafePointer(step.gates(row)) + 3 * width, UnsafePointer(step.work) + row * width)
            let next = step.next(row)
            for index in 0..<width { next[index] = o[index] * tangent[index] }
        }
    }

    /// work ← tanh(m_t).
    private func writeTangents<S: Real>(_ step: RecurrentStep<S>) {
        for row in 0..<step.rows { (step.work + row * step.width).update(from: step.kept(row), count: step.width) }
        apply(
            .tanh, to: step.work, bias: UnsafePointer(step.zeros), count: step.width, step, stride: step.width)
    }

    @_specialize(where S == Float)
    func backwardLSTM<S: Real>(_ step: RecurrentStep<S>, _ inputGradients: UnsafeMutablePointer<S>?) {
        let width = step.width
        writeTangents(step)
        for row in 0..<step.rows where step.isThere(row) {
            let i = step.gates(row)
            let (f, g, o) = (i + width, i + 2 * width, i + 3 * width)
            let (tangent, before) = (UnsafePointer(step.work) + row * width, UnsafePointer(step.keptBefore(row)))
            let (gradient, memory) = (step.stateGradients + row * width, step.keptGradients + row * width)
            for index in 0..<width {
                let (error, tangent) = (gradient[index], tangent[index])
                let total = memory[index] + error * o[index] * ((1 - tangent) * (1 + tangent))
                let (input, candidate, forget) = (i[index], g[index], f[index])
                i[index] = total * candidate * (input * (1 - input))
                f[index] = total * before[index] * (forget * (1 - forget))
                g[index] = total * input * ((1 - candidate) * (1 + candidate))
                o[index] = error * tangent * (o[index] * (1 - o[index]))
                memory[index] = total * forget
                gradient[index] = 0
            }
            if let target = inputGradients { (target + row * step.gateStride).update(from: i, count: 4 * width) }
        }
    }
}
