import GradientTransformations
import PyTrees

/// DOPPLER: a linear low-pass filter over the steps, which keeps the slow gradient and damps the white noise.
///
///     y_t = Σ_{i = 0 … n} bᵢ g_{t−i} − Σ_{i = 1 … n} aᵢ y_{t−i},  u_t = y_t / c_t
///
/// where c_t is what the same filter makes of a constant 1 by step t, so that a constant gradient passes as it is from
/// the first step on. The sum of b over the sum of 1 and a must be 1 for that to hold also later; it is not required.
/// The coefficients are finite, at least one b is needed, and the filter must be stable: all its poles inside the unit
/// circle. One vector is kept for each order n. Source: Zhang et al., arXiv 2408.13460.
///
///     let optimizer = try chain { try LowPassFilter(b: [0.05, 0.05], a: [-0.9]); try adam(learningRate: 1e-3) }
public struct LowPassFilter: GradientTransformation, Hashable {
    /// `low_pass_filter`.
    public static var identifier: String { "low_pass_filter" }

    /// The weights of gradients, the newest first.
    public let b: [Double]

    /// The weights of past outputs, the newest first, on the left-hand side of the equation.
    public let a: [Double]

    /// Throws `invalidHyperparameter` if a coefficient is not finite or the filter is not stable.
    public init(b: [Double], a: [Double]) throws(GradientTransformationError) {
        guard let leading = b.first, leading != 0 else {
            throw .invalidHyperparameter(name: "b[0]", value: b.first ?? 0, allowed: "finite and not 0")
        }
        for (index, value) in b.enumerated() { _ = try Hyperparameter<Finite>(value, "b[\(index)]") }
        for (index, value) in a.enumerated() { _ = try Hyperparameter<Finite>(value, "a[\(index + 1)]") }
        try Self.checkStability(a)
        self.b = b
        self.a = a
    }

    /// The step-down recursion of Schur and Cohn: stable if and only if every reflection coefficient is below 1.
    private static func checkStability(_ a: [Double]) throws(GradientTransformationError) {
        var a = a
        while let last = a.last {
            guard abs(last) < 1 else {
                throw .invalidHyperparameter(
                    name: "A reflection coefficient of a", value: last, allowed: "between -1 and 1 for a stable filter")
            }
            a = (0..<a.count - 1).map { (a[$0] - last * a[a.count - 2 - $0]) / (1 - last * last) }
        }
    }

    private var order: Int { max(a.count, b.count - 1) }

    /// What a filter remembers, in transposed direct form II.
    public struct State: Codable, Hashable, Sendable {
        /// One vector for each order, all in one; empty for a filter without memory.
        public var registers: [ParameterVector]

        /// The same for a gradient that is always 1.
        public var unitRegisters: [Double]
    }

    /// Registers of zero.
    public func initialState(for parameters: ParameterVector) -> State {
        State(
            registers: Array(repeating: ParameterVector(zeros: parameters.layout), count: order),
            unitRegisters: Array(repeating: 0, count: order))
    }

    /// Every element is filtered by itself.
    public static var isElementwise: Bool { true }

    /// Filters `updates` in place.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Adds the filter to the operations.
    public func join(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        let coefficients = (0...order).map { (b: $0 < b.count ? b[$0] : 0, a: $0 < a.count ? a[$0] : 0) }
        var unit = coefficients[0].b + (state.unitRegisters.first ?? 0)
        for index in 0..<order {
            let following = index + 1 < order ? state.unitRegisters[index + 1] : 0
            state.unitRegisters[index] = coefficients[index + 1].b - coefficients[index].a * unit + following
        }
        // A filter whose response to 1 passes zero cannot be corrected at that step.
        if unit == 0 { unit = 1 }
        let operation = FilterOperation(
            b: coefficients.map { Float($0.b) }, a: coefficients.map { Float($0.a) }, factor: Float(1 / unit))
        join(&pass, operation, registers: &state.registers, then: next)
    }

    /// Opens one register after the other, and appends the operation when all are open.
    private func join(
        _ pass: inout UpdatePass, _ operation: FilterOperation, registers: inout [ParameterVector],
        then next: (inout UpdatePass) -> Void
    ) {
        let index = operation.registers.count
        guard index < order else {
            pass.append(operation)
            return next(&pass)
        }
        // Taken out, so that it has one owner and changes in place while the next one is opened.
        var register = registers.removeFirst()
        withMoments(&register, layout: pass.layout) { pointer in
            var operation = operation
            operation.registers.append(pointer)
            join(&pass, operation, registers: &registers, then: next)
        }
        registers.insert(register, at: 0)
    }
}

extension LowPassFilter: DivisibleTransformation {}

extension LowPassFilter.State: ElementwiseState {
    package mutating func changeVectors(_ body: (inout ParameterVector) -> Void) {
        for index in registers.indices { body(&registers[index]) }
    }
}

private struct FilterOperation: UpdateOperation {
    let b: [Float]
    let a: [Float]
    let factor: Float
    var registers: [UnsafeMutablePointer<Float>] = []

    func apply(to block: UpdateBlock) {
        Kernels.active.filter(registers.count, b, a, factor, block.offset, block.count, block.updates, registers)
    }
}

extension LowPassFilter: Codable {
    private enum CodingKeys: CodingKey {
        case b, a
    }

    /// Reads the coefficients; throws if the filter is not stable.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let b = try container.decode([Double].self, forKey: .b)
        let a = try container.decode([Double].self, forKey: .a)
        do throws(GradientTransformationError) {
            try self.init(b: b, a: a)
        } catch {
            throw error.decodingError(at: decoder.codingPath)
        }
    }
}
