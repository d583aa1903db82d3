/// What makes a state of the one before: which gates there are, and how they work together.
enum RecurrentCell: Hashable, Sendable, CustomStringConvertible {
    case gru, lstm

    var description: String { self == .gru ? "gated recurrent units" : "long short-term memory" }

    /// Gates r, z, n of the first; i, f, g, o of the second.
    var gateCount: Int { self == .gru ? 3 : 4 }

    /// Whether what is kept at each position goes on to the next: the memory of long short-term memory, but not the
    /// products q = h_{t−1}U_n + c_n of gated recurrent units.
    var keepsState: Bool { self == .lstm }

    static var sigmoid: Activation { .temperedSigmoid(scale: 1, temperature: 1, offset: 0) }

    /// Writes gates, what is kept, and the states after this position.
    func forward<S: Real>(_ step: RecurrentStep<S>) {
        switch self {
        case .gru: forwardGRU(step)
        case .lstm: forwardLSTM(step)
        }
    }

    /// Overwrites the gates by the gradients of what the recurrent kernel adds to them, and `inputGradients` by those
    /// of what the input adds; both are zero at positions that are padding. State gradients become those of the states
    /// before, but for what goes through the recurrent kernel.
    func backward<S: Real>(_ step: RecurrentStep<S>, inputGradients: UnsafeMutablePointer<S>?) {
        for row in 0..<step.rows where !step.isThere(row) {
            step.gates(row).update(repeating: 0, count: gateCount * step.width)
            if let target = inputGradients {
                (target + row * step.gateStride).update(repeating: 0, count: gateCount * step.width)
            }
        }
        switch self {
        case .gru: backwardGRU(step, inputGradients)
        case .lstm: backwardLSTM(step, inputGradients)
        }
    }

    /// values ← f(values + bias), for `count` numbers of every example.
    func apply<S: Real>(
        _ activation: Activation, to values: UnsafeMutablePointer<S>, bias: UnsafePointer<S>, count: Int,
        _ step: RecurrentStep<S>, stride: Int
    ) {
        activation.apply(
            to: values, bias: bias, derivatives: values, Block(rows: step.rows, count: count, stride: stride))
    }
}
