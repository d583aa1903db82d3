import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import PyTrees

/// The ways to take a step, the baseline first.
enum StepPathKind: String, CaseIterable {
    case nonPrivate = "non-private"
    case factored
    case factoredFloatingPoint = "factored-floating-point"
    case factoredScaled = "factored-scaled"
    case factoredScaledFloatingPoint = "factored-scaled-floating-point"
    case factoredAdafactor = "factored-adafactor"
    case factoredRankOne = "factored-rank-one"
    case dense
    case denseScaled = "dense-scaled"

    /// Whether rows of as many numbers as there are parameters are held.
    var isDense: Bool { self == .dense || self == .denseScaled }

    func makePath(for problem: StepProblem) throws -> any StepPath {
        let base = try adam(learningRate: 1e-3)
        switch self {
        case .nonPrivate: return try NonPrivatePath(problem, base)
        case .factored: return try PrivatePath(problem, IdentityAugmented(base), isDense: false)
        case .factoredFloatingPoint:
            return try PrivatePath(problem, IdentityAugmented(base), isDense: false, noise: .floatingPointGaussian)
        case .dense: return try PrivatePath(problem, IdentityAugmented(base), isDense: true)
        case .factoredScaled: return try PrivatePath(problem, ScaleThenPrivatize(base), isDense: false)
        case .factoredScaledFloatingPoint:
            return try PrivatePath(problem, ScaleThenPrivatize(base), isDense: false, noise: .floatingPointGaussian)
        case .factoredAdafactor:
            return try PrivatePath(problem, IdentityAugmented(adafactor(learningRate: 1e-3)), isDense: false)
        case .factoredRankOne:
            return try PrivatePath(problem, ScaleThenPrivatize(adafactor(learningRate: 1e-3)), isDense: false)
        case .denseScaled: return try PrivatePath(problem, ScaleThenPrivatize(base), isDense: true)
        }
    }
}

/// A training loop that always sees the same batch.
protocol StepPath: AnyObject {
    func step() throws
}

/// The mean gradient from plain products, and the optimizer.
private final class NonPrivatePath: StepPath {
    private let problem: StepProblem
    private let optimizer: Adam<Double>
    private var state: Adam<Double>.State
    private var parameters: ParameterVector
    private var gradient: ParameterVector
    private var workspace: FunctionWorkspace

    init(_ problem: StepProblem, _ optimizer: Adam<Double>) throws {
        self.problem = problem
        self.optimizer = optimizer
        parameters = problem.parameters
        gradient = ParameterVector(zeros: problem.network.layout)
        state = try optimizer.initialState(for: problem.parameters)
        workspace = problem.network.makeWorkspace()
    }

    func step() {
        problem.network.nonPrivateGradient(
            of: problem.examples, at: parameters, into: &gradient, workspace: &workspace)
        optimizer.step(&gradient, state: &state, parameters: &parameters)
    }
}

/// A private step, on factored gradients or on rows made of them.
final class PrivatePath<Optimizer: AugmentedGradientTransformation>: StepPath {
    private let problem: StepProblem
    private let optimizer: Optimizer
    private let isDense: Bool
    private var state: Optimizer.State
    private var parameters: ParameterVector
    private var workspace: FunctionWorkspace
    private var stepWorkspace: StepWorkspace
    private var noise: Noise
    private var rows = InstantiatedRows()

    init(
        _ problem: StepProblem, _ optimizer: Optimizer, isDense: Bool, noise: NoiseScheme = .discreteGaussian,
        ranks: Ranks? = nil
    ) throws {
        stepWorkspace = StepWorkspace(ranks: ranks, sharingStateOf: optimizer)
        self.noise = Noise(noise)
        self.problem = problem
        self.optimizer = optimizer
        self.isDense = isDense
        parameters = problem.parameters
        state = stepWorkspace.kept(
            of: try optimizer.initialState(for: problem.parameters), in: problem.parameters.layout)
        workspace = problem.network.makeWorkspace()
    }

    func step() throws {
        let gradients = problem.network.gradients(
            of: problem.examples, at: parameters, workspace: &workspace)
        if isDense {
            try optimizer.privateStep(
                state: &state, parameters: &parameters, clipping: problem.clipping,
                noiseMultiplier: problem.noiseMultiplier, noise: &noise, workspace: &stepWorkspace
            ) { _, batch in
                try rows.forEachMicrobatch(of: gradients, size: problem.microbatch) { batch.add($0) }
            }
        } else {
            try optimizer.privateStep(
                on: gradients, state: &state, parameters: &parameters, clipping: problem.clipping,
                noiseMultiplier: problem.noiseMultiplier, noise: &noise, workspace: &stepWorkspace)
        }
    }
}
