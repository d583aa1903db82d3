/// One step of a model's function: what comes of some values and parameters, and how gradients go back through it.
///
/// An operation sees a block of examples at once, each with tensors of the same shapes, and must treat every example by
/// itself. Conform to add one of your own; record it with ``Value/applying(_:to:parameters:keepsPositions:)``.
///
///     struct Square: Operation {
///         func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int] { inputs[0] }
///
///         func forward<S: Real>(_ pass: ForwardPass<S>) {
///             pass.forEachExample { example in
///                 let (x, y) = (pass.input(0, of: example), pass.output(of: example))
///                 for index in x.indices { y[index] = x[index] * x[index] }
///             }
///         }
///
///         func backward<S: Real>(_ pass: BackwardPass<S>) {
///             pass.forEachExample { example in
///                 let (x, e) = (pass.input(0, of: example), pass.outputGradient(of: example))
///                 guard let gradient = pass.inputGradient(0, of: example) else { return }
///                 for index in x.indices { gradient[index] = 2 * x[index] * e[index] }
///             }
///         }
///     }
///
/// **Guarantee:** what privacy asks of a conforming type.
///
/// - An example's outputs, input gradients and parameter gradients are functions of that example's inputs and of the
///   parameters alone, in every bit. Products by ``Real/multiply(rows:columns:inner:_:_:into:finish:)`` are; BLAS
///   products over a block of examples are not.
/// - What it computes is the whole of an example's gradient: ``parameterGradients(_:)`` gives every place where a
///   parameter enters.
public protocol Operation: Sendable {
    /// The shape of the output for inputs and parameters of these shapes. Traps if they do not fit together.
    func outputShape(inputs: [[Int]], parameters: [[Int]]) -> [Int]

    /// How many numbers the forward pass keeps for each example, for the way back. None unless a conforming type says
    /// otherwise.
    func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int

    /// How many numbers of working memory a thread has for one example. None unless a conforming type says otherwise.
    func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int

    /// Whether gradients go back to input `index`. True unless a conforming type says otherwise, as of labels.
    func isDifferentiable(input index: Int) -> Bool

    /// Writes the outputs of all examples.
    func forward<S: Real>(_ pass: ForwardPass<S>)

    /// Writes the gradients of the inputs that ask for one. May overwrite the output gradients.
    func backward<S: Real>(_ pass: BackwardPass<S>)

    /// One gradient for each parameter, in the order in which they were recorded, after ``backward(_:)``.
    func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>]
}

extension Operation {
    /// Nothing.
    public func savedCount(inputs: [[Int]], parameters: [[Int]]) -> Int { 0 }
    /// Nothing.
    public func scratchCount(inputs: [[Int]], parameters: [[Int]]) -> Int { 0 }
    /// True.
    public func isDifferentiable(input index: Int) -> Bool { true }
    /// None: for operations without parameters.
    public func parameterGradients<S: Real>(_ pass: BackwardPass<S>) -> [ParameterGradient<S>] { [] }
}
