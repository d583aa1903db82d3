import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

/// Scales gradients by the base optimizer's own second moment before they are clipped, so that clipping and noise see
/// the geometry in which the optimizer moves.
///
///     s = 1 / (√(v + εᵣ) + ε),  u_i = s ∘ g_i,  y = Σ clip(u_i) / N + noise,  ĝ = y ⊘ s
///
/// v is the base's second moment of the step before, without bias correction. Leaves for which the base keeps none
/// (masked out, or another part of a partition) have s = 1. Algorithm 8 of arXiv 2507.01129; ε is its ε_{s1}.
///
///     let optimizer = try ScaleThenPrivatize(adamw(learningRate: 1e-3))
///
/// The compiler finds v wherever it lies in a chain, a mask or a partition, and rejects a base without one. For a
/// state of your own, say where it is: `try ScaleThenPrivatize(mine, secondMoment: \.squares)`.
///
/// Over a factored moment, Adafactor's, the scale of every matrix is of rank one, so that factored gradients cost no
/// third matrix product: with the means R of the moment's rows and C of its columns, and m the mean of either,
///
///     s_jk = ρ_j γ_k,  ρ = 1 / (√(R/√m + √εᵣ) + √ε),  γ = 1 / (√(C/√m + √εᵣ) + √ε)
///
/// A matrix that the base does not factor, because it is small, is scaled so, too, by the means of its v. Vectors and
/// single numbers have the s above. A leaf with more axes is scaled element by element, by the product of its factors.
///
/// Before the first step v = 0, and s = 1/ε: every example then has a norm of 1/ε times its own and is clipped, which
/// keeps its direction only. At ``ScaleEpsilon/paper``, 10⁻⁸, an optimizer can stand still for hundreds of steps; the
/// default is ``ScaleEpsilon/usual``, 10⁻³, and the paper recommends to tune ε. Further remedies, to be combined at
/// will:
/// - `warmUpSteps`: s = 1 for that many steps. The clip norm then bounds unscaled gradients.
/// - `refreshEvery`: the scale is made anew only every so many steps, counted from the first, and stays in between
///   (DP², arXiv 2212.00309). Under noise that is correlated over steps and restarts, this has to be how many steps a
///   strategy has, or a multiple of it: a step whose space is not that of the steps it shares noise with is refused.
/// - `floor`: v counts as at least this much in the scale; each of the factors R/√m and C/√m as at least its root.
/// - `initialSecondMoment`: v starts there, for the base too. Adam's bias correction takes it for a mean of the steps
///   so far, which makes its first updates small; Adafactor forgets it in the first step, whose scale it then makes.
///
/// Noise comes back through the scale: where gradients are small against it, one step makes
/// v ← (β₂ + (1 − β₂)σ²)·v, with σ = zC/N. From σ = 1 on, noise alone makes v grow without end; choose a clip norm, a
/// noise multiplier and a batch with zC/N well below 1.
///
/// **Guarantee:** the scale depends on the state before the step alone, which saw privatized gradients only.
public struct ScaleThenPrivatize<Base: GradientTransformation, Moment: SecondMomentSource<Base.State>>:
    AugmentedGradientTransformation
{
    /// `scale_then_privatize(…)`.
    public static var identifier: String { "scale_then_privatize(\(Base.identifier))" }

    /// What takes the noisy gradient, after it was divided by the scale.
    public let base: Base

    /// What is added to the root, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// What is added under the root, εᵣ ≥ 0.
    @Hyperparameter<NonNegative> public var epsilonRoot: Double

    /// The least that v counts as, at least 0.
    @Hyperparameter<NonNegative> public var floor: Double

    /// What v is before the first step, at least 0.
    @Hyperparameter<NonNegative> public var initialSecondMoment: Double

    /// For how many steps s = 1.
    public let warmUpSteps: Int

    /// For how many steps a scale stays, at least 1.
    public let refreshEvery: Int

    /// `refreshEvery`.
    public var refreshInterval: Int? { refreshEvery }

    let moment: Moment

    init(
        _ base: Base, moment: Moment, epsilon: Double, epsilonRoot: Double, warmUpSteps: Int, floor: Double,
        initialSecondMoment: Double, refreshEvery: Int
    ) throws(GradientTransformationError) {
        self.base = base
        self.moment = moment
        _epsilon = try Hyperparameter(epsilon, "epsilon")
        _epsilonRoot = try Hyperparameter(epsilonRoot, "epsilonRoot")
        _floor = try Hyperparameter(floor, "floor")
        _initialSecondMoment = try Hyperparameter(initialSecondMoment, "initialSecondMoment")
        guard warmUpSteps >= 0 else {
            throw .invalidHyperparameter(name: "warmUpSteps", value: Double(warmUpSteps), allowed: "at least 0")
        }
        self.warmUpSteps = warmUpSteps
        guard refreshEvery >= 1 else {
            throw .invalidHyperparameter(name: "refreshEvery", value: Double(refreshEvery), allowed: "at least 1")
        }
        self.refreshEvery = refreshEvery
    }

    /// Scales by the second moment at `secondMoment` in the base's state.
    ///
    /// It must be what the state has under the parameters' layout, or under some of their leaves. Throws
    /// `invalidHyperparameter` if a number lies outside its range.
    public init(
        _ base: Base, secondMoment: any WritableKeyPath<Base.State, ParameterVector> & Sendable,
        epsilon: Double = ScaleEpsilon.usual, epsilonRoot: Double = 0, warmUpSteps: Int = 0, floor: Double = 0,
        initialSecondMoment: Double = 0, refreshEvery: Int = 1
    ) throws(GradientTransformationError) where Moment == SecondMomentAtKeyPath<Base.State> {
        try self.init(
            base, moment: SecondMomentAtKeyPath(path: secondMoment), epsilon: epsilon, epsilonRoot: epsilonRoot,
            warmUpSteps: warmUpSteps, floor: floor, initialSecondMoment: initialSecondMoment, refreshEvery: refreshEvery
        )
    }
}

extension ScaleThenPrivatize
where Base.State: SecondMomentState, Base.State.Form: ScalableMoments, Moment == KnownSecondMoment<Base.State> {
    /// Scales by the base's second moment. Throws `invalidHyperparameter` if a number lies outside its range.
    public init(
        _ base: Base, epsilon: Double = ScaleEpsilon.usual, epsilonRoot: Double = 0, warmUpSteps: Int = 0,
        floor: Double = 0, initialSecondMoment: Double = 0, refreshEvery: Int = 1
    ) throws(GradientTransformationError) {
        try self.init(
            base, moment: KnownSecondMoment(), epsilon: epsilon, epsilonRoot: epsilonRoot, warmUpSteps: warmUpSteps,
            floor: floor, initialSecondMoment: initialSecondMoment, refreshEvery: refreshEvery)
    }
}

extension ScaleThenPrivatize where Moment == SecondMomentAtKeyPath<Base.State> {
    /// What the compiler says of a base without a second moment.
    @available(
        *, unavailable,
        message: """
            ScaleThenPrivatize scales by the base optimizer's second moment, and this base keeps none (or two, of \
            which neither is chosen): take adam, adamw, amsgrad, rmsprop, adagrad or adafactor, or name the place, \
            secondMoment: \\.path
            """
    )
    public init(
        _ base: Base, epsilon: Double = ScaleEpsilon.usual, epsilonRoot: Double = 0, warmUpSteps: Int = 0,
        floor: Double = 0, initialSecondMoment: Double = 0, refreshEvery: Int = 1
    ) throws(GradientTransformationError) {
        fail("There is no second moment to scale by.")
    }
}

extension ScaleThenPrivatize: Equatable where Base: Equatable, Moment: Equatable {}
extension ScaleThenPrivatize: Decodable where Base: Decodable, Moment: Decodable {}
extension ScaleThenPrivatize: Encodable where Base: Encodable, Moment: Encodable {}
