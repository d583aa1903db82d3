import PyTrees
import Requirements

/// x̂ ∘ g + b over features, at every position.
struct LayerNormalization: Operation {
    let normalization: RowNormalization
    let hasBias: Bool

    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] {
        requireFeatureParameters(parameters, of: inputs[0])
        return inputs[0]
    }

    /// An example's gradient of the gain.
    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { parameters[0][0] }

    private func rows<S: Real>(_ pass: ForwardPass<S>) -> Rows {
        let width = pass.parameterShapes[0][0]
        return Rows(pass.outputCount / max(1, width), of: width)
    }

    func forward<S: Real>(_ pass: ForwardPass<S>) {
        let rows = rows(pass)
        withUnsafeTemporaryAllocation(of: S.self, capacity: rows.count) { zeros in
            zeros.initialize(repeating: 0)
            let bias = hasBias ? pass.parameter(1).baseAddress! : UnsafePointer(zeros.baseAddress!)
            pass.forEachExample(work: 4 * pass.outputCount) { example in
                S.normalize(
                    pass.input(0, of: example).baseAddress!, by: normalization,
                    gain: pass.parameter(0).baseAddress!, bias: bias, rows,
                    into: pass.output(of: example).baseAddress!)
            }
        }
    }

    /// Where nobody asks for the inputs' gradients.
    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int { inputs[0].reduce(1, *) }

    func backward<S: Real>(_ pass: BackwardPass<S>) {
        let rows = rows(pass.forward)
        pass.withScratch(work: 8 * pass.forward.outputCount) { example, scratch in
            let gain = pass.saved(of: example)
            gain.update(repeating: 0)
            S.normalizeBackward(
                pass.input(0, of: example).baseAddress!, by: normalization, gain: pass.parameter(0).baseAddress!,
                outputGradients: UnsafePointer(pass.outputGradient(of: example).baseAddress!), rows,
                into: pass.inputGradient(0, of: example)?.baseAddress ?? scratch.baseAddress!,
                gainGradient: gain.baseAddress!)
        }
    }

    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] {
        let rows = rows(pass.forward)
        return [.rows(pass.savedNumbers)]
            + (hasBias
                ? [.sums(outputGradients: pass.outputGradientBlock(columns: rows.count), positions: rows.rows)] : [])
    }
}

/// Traps unless the parameters have an element for each feature.
func requireFeatureParameters(_ parameters: [[Int]], of shape: [Int]) {
    for parameter in parameters {
        require(
            parameter.count == 1 && parameter.last == shape.last && parameter[0] > 0,
            "A gain or bias of shape \(parameter) does not fit a value of shape \(shape): it has to have an element "
                + "for each feature.")
    }
}

extension Value {
    /// (x − mean) / √(variance + ε) ∘ g + b, with mean and variance over features, at every position.
    ///
    /// Source: arXiv 1607.06450. Traps unless gain and bias have the shape `[features]`, and ε is above 0.
    public func layerNormalized(gain: Tensor, bias: Tensor, epsilon: Float = 1e-5) -> Value {
        applying(
            LayerNormalization(normalization: RowNormalization(centers: true, epsilon: epsilon), hasBias: true),
            parameters: [gain, bias])
    }

    /// x / √(mean of x² + ε) ∘ g, with the mean over features, at every position.
    ///
    /// Source: arXiv 1910.07467. Traps unless the gain has the shape `[features]`, and ε is above 0.
    public func rmsNormalized(gain: Tensor, epsilon: Float = 1e-5) -> Value {
        applying(
            LayerNormalization(normalization: RowNormalization(centers: false, epsilon: epsilon), hasBias: false),
            parameters: [gain])
    }
}
