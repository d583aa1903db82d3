extension RecurrentCell {
    /// r, z and n; q = h_{t−1}U_n + c_n is kept.
    @_specialize(where S == Float)
    func forwardGRU<S: Real>(_ step: RecurrentStep<S>) {
        let width = step.width
        for row in 0..<step.rows {
            let (gates, input) = (step.gates(row), step.input(row))
            let product = UnsafePointer(step.products + row * 3 * width)
            let (kept, bias) = (step.kept(row), step.bias + 2 * width)
            for index in 0..<2 * width { gates[index] = input[index] + product[index] }
            for index in 0..<width { kept[index] = product[2 * width + index] + bias[index] }
        }
        apply(Self.sigmoid, to: step.gates(0), bias: step.bias, count: 2 * width, step, stride: step.gateStride)
        for row in 0..<step.rows {
            let (r, n) = (UnsafePointer(step.gates(row)), step.gates(row) + 2 * width)
            let (input, kept) = (step.input(row) + 2 * width, UnsafePointer(step.kept(row)))
            for index in 0..<width { n[index] = input[index] + r[index] * kept[index] }
        }
        apply(
            .tanh, to: step.gates(0) + 2 * width, bias: UnsafePointer(step.zeros), count: width, step,
            stride: step.gateStride)
        for row in 0..<step.rows {
            let (z, n) = (UnsafePointer(step.gates(row)) + width, UnsafePointer(step.gates(row)) + 2 * width)
            let (previous, next) = (UnsafePointer(step.previous(row)), step.next(row))
            for index in 0..<width { next[index] = (1 - z[index]) * n[index] + z[index] * previous[index] }
        }
    }

    @_specialize(where S == Float)
    func backwardGRU<S: Real>(_ step: RecurrentStep<S>, _ inputGradients: UnsafeMutablePointer<S>?) {
        let width = step.width
        for row in 0..<step.rows where step.isThere(row) {
            let (r, gradient) = (step.gates(row), step.stateGradients + row * width)
            let (z, n) = (r + width, r + 2 * width)
            let (kept, previous) = (UnsafePointer(step.kept(row)), UnsafePointer(step.previous(row)))
            // The products with the kernel overwrite these.
            let own = step.products + row * 3 * width
            for index in 0..<width {
                let error = gradient[index]
                let candidate = error * (1 - z[index]) * ((1 - n[index]) * (1 + n[index]))
                own[2 * width + index] = candidate
                own[index] = candidate * kept[index] * (r[index] * (1 - r[index]))
                own[width + index] = error * (previous[index] - n[index]) * (z[index] * (1 - z[index]))
                gradient[index] = error * z[index]
                n[index] = candidate * r[index]
            }
            r.update(from: own, count: 2 * width)
            if let target = inputGradients { (target + row * step.gateStride).update(from: own, count: 3 * width) }
        }
    }
}
