import Datasets
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A model of which some leaves stay as they are, and the others are trained.
///
///     let start = try network.read("pretrained.safetensors")
///     let model = try network.freezing(["conv1", "conv2"], of: start)
///     let outcome = try Trainer(plan: plan, model: model, optimizer: optimizer).fit(training)
///     let all = model.whole(outcome.parameters)
///
/// Its parameters are those of the leaves that are trained, in a vector of their own: optimizers, clip norms, noise and
/// checkpoints know of no others.
///
/// **Guarantee:** the frozen leaves neither change nor cost anything.
///
/// - The parameters that ``whole(_:)`` returns have the frozen leaves' values in every bit.
/// - An example's norm and contribution are those of its trained leaves alone; no noise is drawn for the others.
/// - The frozen values are published as they are, and the trained leaves begin from given values: both must be public,
///   such as those of a model trained on other data. ``notCovered`` says so, also where nothing is frozen.
public struct FrozenModel<Base: TrainableModel>: Sendable where Base.Gradients: RestrictableGradients {
    /// The model with all of its leaves.
    public let base: Base
    /// Which leaves of ``base`` are trained.
    public let mask: TreeMask
    /// The layout of the leaves that are trained.
    public let layout: TreeLayout

    /// The base as gradients are computed by: without those of the frozen leaves, where it can leave them out.
    private let trained: Base
    private let structure: Base.Parameters
    private let start: ParameterVector
    private let isGiven: Bool

    /// - Parameter isGiven: whether `start` is more than the base's initial parameters.
    init(_ base: Base, mask: TreeMask, structure: Base.Parameters, start: ParameterVector, isGiven: Bool) {
        self.base = base
        trained = base.training(only: mask)
        self.isGiven = isGiven
        self.mask = mask
        self.structure = structure
        self.start = start
        layout = mask.selectedLayout
    }

    /// The parameters of ``base``: the frozen leaves, and the trained ones with the values of `trained`.
    ///
    /// Traps unless `trained` has as many values as ``layout``.
    public func whole(_ trained: ParameterVector) -> Base.Parameters {
        var vector = start
        mask.write(trained, to: &vector)
        return structure.holding(vector)
    }
}

extension TrainableModel where Gradients: RestrictableGradients {
    /// The model with the leaves at and below `paths` frozen at the values of `parameters`, from which the others
    /// begin. `parameters` must be public.
    ///
    /// Throws `ModelError.unknownFrozenPath` with the paths that there are, `ModelError.nothingToTrain`, and what
    /// ``ModelError/parametersDoNotFit(found:expected:)`` and ``ModelError/parameterNotFinite(_:value:)`` say.
    public func freezing(_ paths: [TreePath], of parameters: Parameters) throws -> FrozenModel<Self> {
        try freezing(paths, of: parameters, isGiven: true)
    }

    /// The same with the model's own initial parameters, which are public.
    package func freezing(_ paths: [TreePath], ofInitialParameters seed: UInt64) throws -> FrozenModel<Self> {
        try freezing(paths, of: initialParameters(seed: seed), isGiven: false)
    }

    private func freezing(
        _ paths: [TreePath], of parameters: Parameters, isGiven: Bool
    ) throws -> FrozenModel<Self> {
        for path in paths where layout.leaves(under: path)?.isEmpty ?? true {
            throw ModelError.unknownFrozenPath(path, known: layout.paths)
        }
        let mask = TreeMask(layout: layout) { leaf in !paths.contains { $0.isPrefix(of: leaf.path) } }
        if mask.selectedCount == 0 { throw ModelError.nothingToTrain }
        return FrozenModel(
            self, mask: mask, structure: parameters, start: try checkedVector(of: parameters), isGiven: isGiven)
    }
}

extension TreeLayout {
    /// The paths of all leaves, each after those of the subtrees that it lies in.
    fileprivate var paths: [TreePath] {
        var seen: Set<TreePath> = []
        return leaves.flatMap { leaf in
            leaf.path.keys.indices.map { TreePath(Array(leaf.path.keys[...$0])) }
        }.filter { seen.insert($0).inserted }
    }
}

/// Memory that is reused from one microbatch to the next: the base's, and all parameters in the base's form.
public struct FrozenWorkspace<Base: TrainableModel> {
    fileprivate var base: Base.Workspace
    fileprivate var structure: Base.Parameters
    fileprivate var vector: ParameterVector
    fileprivate var rows = Matrix(rows: 0, columns: 0)
}

extension FrozenModel: TrainableModel {
    /// That of ``base``.
    public var featureCount: Int { base.featureCount }

    /// That of ``base``.
    public var outputCount: Int { base.outputCount }

    /// That of ``base``, for the trained leaves alone where it can leave out the others; of dense rows also that of the
    /// copy without the frozen columns.
    public var gradientBytesPerExample: Int {
        trained.gradientBytesPerExample + (Base.Gradients.self == DenseRows.self ? 4 * layout.count : 0)
    }

    /// What ``base`` says, the given parameters that training begins from, and the frozen leaves.
    public var notCovered: [String] {
        let begin = isGiven ? [Self.givenParametersNotCovered] : []
        let told = base.notCovered + begin.filter { !base.notCovered.contains($0) }
        let frozen = mask.complement.selectedLayout.leaves.map { "\($0.path)" }
        if frozen.isEmpty { return told }
        return told + [
            "The frozen parameters (\(frozen.joined(separator: ", "))), which are released as they were given, and "
                + "whatever they were made from: they must be public."
        ]
    }

    /// Those of ``base`` that are trained.
    public var unusedLeaves: [TreePath] { base.unusedLeaves.filter { layout[$0] != nil } }

    /// Those of ``base``, and the frozen leaves.
    public var fixedParameters: [ParameterVector] {
        let frozen = mask.complement
        return base.fixedParameters + (frozen.selectedCount == 0 ? [] : [frozen.selected(from: start)])
    }

    /// The values that were given for the leaves that are trained, whatever the seed is.
    public func initialParameters(seed: UInt64) -> ParameterVector { mask.selected(from: start) }

    /// The base's workspace, and a copy of all parameters.
    public func makeWorkspace() -> FrozenWorkspace<Base> {
        FrozenWorkspace(base: base.makeWorkspace(), structure: structure.template, vector: start)
    }

    /// The base's gradients without those of the frozen leaves.
    public func gradients(
        of examples: Examples, at parameters: ParameterVector, workspace: inout FrozenWorkspace<Base>
    ) -> Base.Gradients {
        mask.write(parameters, to: &workspace.vector)
        return Self.with(workspace.vector, &workspace.structure, &workspace.base) { parameters, memory in
            trained.gradients(of: examples, at: parameters, workspace: &memory)
        }.restricted(to: mask, memory: &workspace.rows)
    }

    /// The base's outputs.
    public func outputs(
        for inputs: Matrix, lengths: [Int]?, at parameters: ParameterVector, workspace: inout FrozenWorkspace<Base>
    ) -> Matrix {
        mask.write(parameters, to: &workspace.vector)
        return Self.with(workspace.vector, &workspace.structure, &workspace.base) { parameters, memory in
            base.outputs(for: inputs, lengths: lengths, at: parameters, workspace: &memory)
        }
    }

    /// The base's outputs and losses.
    public func outputsAndLosses(
        of examples: Examples, at parameters: ParameterVector, workspace: inout FrozenWorkspace<Base>
    ) -> (outputs: Matrix, losses: [Float]) {
        mask.write(parameters, to: &workspace.vector)
        return Self.with(workspace.vector, &workspace.structure, &workspace.base) { parameters, memory in
            base.outputsAndLosses(of: examples, at: parameters, workspace: &memory)
        }
    }

    private static func with<Result>(
        _ vector: ParameterVector, _ structure: inout Base.Parameters, _ memory: inout Base.Workspace,
        _ body: (Base.Parameters, inout Base.Workspace) -> Result
    ) -> Result {
        structure.withValues(of: vector) { body($0, &memory) }
    }

    /// The base's predictions.
    public func predictions(from outputs: Matrix) -> Targets { base.predictions(from: outputs) }

    /// Throws what ``base`` throws.
    public func checkInputs(_ inputs: Matrix, lengths: [Int]?) throws(ModelError) {
        try base.checkInputs(inputs, lengths: lengths)
    }

    /// Throws what ``base`` throws.
    public func check(_ examples: Examples) throws(ModelError) { try base.check(examples) }
}
