import PyTrees

/// A transformation of some leaves; the others pass as they are.
///
/// The state is kept for the selected leaves only, and norms are taken over them only. As optax's `masked`.
///
///     let mask = try TreeMask(["dense": ["kernel": true, "bias": false]], layout: parameters.layout)
///     let optimizer = try chain { Masked(try ScaleByAdam(), mask: mask); try Scale(-0.01) }
public struct Masked<Inner: GradientTransformation>: GradientTransformation {
    /// `masked(…)`.
    public static var identifier: String { "masked(\(Inner.identifier))" }

    /// What transforms the selected leaves.
    public let inner: Inner

    /// Which leaves are selected.
    public let mask: TreeMask

    /// The layout of the selected leaves.
    public let selectedLayout: TreeLayout

    /// Transforms the leaves that `mask` selects by `inner`.
    public init(_ inner: Inner, mask: TreeMask) {
        self.inner = inner
        self.mask = mask
        selectedLayout = mask.selectedLayout
    }

    /// As the inner transformation.
    public static var isElementwise: Bool { Inner.isElementwise }

    /// The inner state for the selected leaves; throws `layoutMismatch` if the mask is for another layout.
    public func initialState(
        for parameters: ParameterVector
    ) throws(GradientTransformationError) -> MaskedState<Inner.State> {
        try mask.check(for: parameters.layout)
        let domain = UpdateDomain(whole: parameters.layout).restricted(to: mask, layout: selectedLayout)
        return MaskedState(inner: try inner.initialState(for: domain.selected(from: parameters)))
    }

    /// Transforms the selected leaves in place.
    public func update(_ updates: inout ParameterVector, state: inout State, parameters: ParameterVector) {
        UpdatePass.update(&updates, parameters: parameters) { pass in
            join(&pass, state: &state) { $0.finishPending() }
        }
    }

    /// Lets the inner transformation join under the mask.
    public func join(
        _ pass: inout UpdatePass, state: inout MaskedState<Inner.State>, then next: (inout UpdatePass) -> Void
    ) {
        let outer = pass.domain
        pass.withMask(mask, layout: selectedLayout) { pass in
            inner.join(&pass, state: &state.inner) { pass in
                pass.withDomain(outer, next)
            }
        }
    }
}

/// The state of a masked transformation: that of the selected leaves.
public struct MaskedState<Inner: Codable & Sendable>: Codable, Sendable {
    /// The inner state.
    public var inner: Inner
}

extension MaskedState: Equatable where Inner: Equatable {}

extension MaskedState: SecondMomentState where Inner: SecondMomentState {
    /// The inner form.
    public typealias Form = Inner.Form

    /// Calls `body` with the second moments of the selected leaves.
    public func readSecondMoments(_ body: (ParameterVector) -> Void) { inner.readSecondMoments(body) }

    /// Calls `body` with the second moments of the selected leaves, to change them in place.
    public mutating func changeSecondMoments(_ body: (inout ParameterVector) -> Void) {
        inner.changeSecondMoments(body)
    }
}

extension Masked: Equatable where Inner: Equatable {}
extension Masked: Decodable where Inner: Decodable {}
extension Masked: Encodable where Inner: Encodable {}

/// Keeps the leaves that `mask` selects as they are: their updates are zero. As optax's `freeze`.
///
///     let optimizer = try chain { try adam(learningRate: 1e-3); freeze(mask) }
public func freeze(_ mask: TreeMask) -> Masked<SetToZero> {
    Masked(SetToZero(), mask: mask)
}

extension TreeMask {
    func check(for layout: TreeLayout) throws(GradientTransformationError) {
        guard self.layout == layout else {
            throw .layoutMismatch(of: "mask", found: self.layout, expected: layout)
        }
    }
}
