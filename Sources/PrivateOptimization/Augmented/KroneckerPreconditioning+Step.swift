import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

extension KroneckerPreconditioning {
    /// Maps the noisy, transformed gradient back, and updates by the base.
    public func update(
        _ gradient: consuming TransformedGradient<KroneckerTransform>, state: inout State, parameters: ParameterVector
    ) -> ParameterVector {
        let updates = gradient.updates(for: parameters) { learn(&$0, state: &state, then: $1) }
        finishStep(&state)
        return updates
    }

    /// Maps the noisy, transformed gradient back, and steps by the base.
    public func step(
        _ gradient: consuming TransformedGradient<KroneckerTransform>, state: inout State,
        parameters: inout ParameterVector
    ) {
        gradient.step(&parameters) { learn(&$0, state: &state, then: $1) }
        finishStep(&state)
    }

    /// Takes the gradient into the second moments, and lets the base join.
    private func learn(_ pass: inout UpdatePass, state: inout State, then next: (inout UpdatePass) -> Void) {
        pass.withVectors { gradient, _ in accumulate(gradient, into: &state.secondMoments) }
        base.join(&pass, state: &state.base, then: next)
    }

    private func finishStep(_ state: inout State) {
        state.steps += 1
        if state.steps % refreshEvery == 0 { refresh(&state) }
    }

    /// L ← β L + (1 − β) ĝĝᵀ and R ← β R + (1 − β) ĝᵀĝ.
    private func accumulate(_ gradient: ParameterVector, into moments: inout ParameterVector) {
        for leaf in gradient.layout.leaves where KroneckerTransform.hasFactors(leaf, maximumSide: maximumSide) {
            let matrix = gradient.withUnsafeValues { Matrix(copying: $0[leaf.range], shape: leaf.shape) }
            let sides: [(String, BLAS.Transpose, BLAS.Transpose)] = [
                ("left", .none, .transposed), ("right", .transposed, .none),
            ]
            for (side, first, second) in sides {
                guard let part = moments.layout[leaf.path.appending(side)] else { continue }
                moments.withUnsafeMutableValues { moments in
                    let values = moments[part.range]
                    var square = Matrix(copying: UnsafeBufferPointer(rebasing: values)[...], shape: part.shape)
                    BLAS.gemm(
                        matrix, first, matrix, second, alpha: Float(1 - decay), beta: Float(decay),
                        into: &square)
                    square.copy(to: UnsafeMutableBufferPointer(rebasing: values))
                }
            }
        }
    }

    /// Makes the roots of both signs from one eigendecomposition each.
    private func refresh(_ state: inout State) {
        for part in state.secondMoments.layout.leaves {
            let square = state.secondMoments.withUnsafeValues { Matrix(copying: $0[part.range], shape: part.shape) }
            guard let decomposition = square.symmetricEigendecomposition() else { continue }
            let damped = decomposition.eigenvalues.map { Double(max($0, 0)) + damping }
            for exponent in [-power, power] {
                let root = decomposition.eigenvectors.conjugating(diagonal: damped.map { pow($0, exponent) })
                let write = { (target: UnsafeMutableBufferPointer<Float>) in
                    root.copy(to: UnsafeMutableBufferPointer(rebasing: target[part.range]))
                }
                if exponent < 0 {
                    state.factors.withUnsafeMutableValues(write)
                } else {
                    state.inverses.withUnsafeMutableValues(write)
                }
            }
        }
    }
}

extension Matrix {
    fileprivate init(copying elements: Slice<UnsafeBufferPointer<Float>>, shape: [Int]) {
        self.init(rows: shape[0], columns: shape[1])
        withUnsafeMutableElements { _ = $0.update(fromContentsOf: elements) }
    }

    fileprivate func copy(to target: UnsafeMutableBufferPointer<Float>) {
        withUnsafeElements { _ = target.update(fromContentsOf: $0) }
    }

    /// U · diag(d) · Uᵀ, with U this matrix.
    fileprivate func conjugating(diagonal: [Double]) -> Matrix {
        var scaled = self
        scaled.withUnsafeMutableElements { elements in
            for row in 0..<rows {
                for column in 0..<columns { elements[row * columns + column] *= Float(diagonal[column]) }
            }
        }
        var result = Matrix(rows: rows, columns: rows)
        BLAS.gemm(scaled, .none, self, .transposed, into: &result)
        return result
    }
}
