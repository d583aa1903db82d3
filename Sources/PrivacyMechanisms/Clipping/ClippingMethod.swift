import PyTrees

/// A way to bound what each example contributes: its constants with their ranges and coding, and its text in reports.
///
/// A method is a ``FixedClipping``, which is the same in every step, or an ``AdaptiveClipping``. To add one, write a
/// file with it, its formula and its makers in ``ClippingRule`` and ``PlannedClipping``, and a line in
/// ``ClippingRule/methods``.
///
/// The protocol is sealed: a guarantee hangs on every conformer, and outside this package nobody can write one.
package protocol ClippingMethod: Codable, Hashable, Sendable {
    /// The method's name in configuration.
    static var name: String { get }

    /// The keys that a file may have beside `method`.
    static var keys: [String] { get }

    /// Throws `PrivacyMechanismError` for a constant out of range. Making and decoding a method do not check.
    func validate() throws(PrivacyMechanismError)

    /// The rule of the first step. Throws as ``validate()`` and for `normalizeBy` out of range.
    func initialRule(normalizeBy: Double) throws(PrivacyMechanismError) -> ClippingRule

    /// The method and its constants, for people.
    var text: String { get }
}

/// A method that turns an example's norms into factors in the same way in every step.
///
/// **Guarantee:** of every conformer: ``factor(forNorm:clipNorm:margin:)`` times the true norm is at most
/// ``bound(clipNorm:)``, if the computed norm is below the true one by a relative error that `margin` allows for.
package protocol FixedClipping: ClippingMethod {
    /// One clip norm for each subtree; a bare value bounds the whole gradient.
    var l2ClipNorms: PrefixTree<Double> { get }

    /// The largest norm of one example's contribution to a subtree of this clip norm, before the division by
    /// `normalizeBy`.
    func bound(clipNorm: Double) -> Double

    /// The factor for a subtree whose computed norm is `norm`, a number that is neither NaN nor infinite.
    ///
    /// - Parameter margin: what factors are reduced by, so that rounding cannot carry a contribution past its bound.
    func factor(forNorm norm: Double, clipNorm: Double, margin: Double) -> Double

    /// Turns one example's squared norms, one for each clip norm, into its factors.
    ///
    /// It is a requirement so that the loop over subtrees is compiled for each method by itself. The default will do.
    func replaceSquaredNorms(_ squares: UnsafeMutableBufferPointer<Double>, clipNorms: [Double], margin: Double)
}

extension FixedClipping {
    package func initialRule(normalizeBy: Double) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(self, normalizeBy: normalizeBy)
    }

    package func replaceSquaredNorms(
        _ squares: UnsafeMutableBufferPointer<Double>, clipNorms: [Double], margin: Double
    ) {
        for group in squares.indices {
            squares[group] = factor(
                forNorm: squares[group].squareRoot(), clipNorm: clipNorms[group], margin: margin)
        }
    }
}

/// A method whose clip norm, a single one, is learned from noisy counts of the examples within it.
///
/// **Guarantee:** of every conformer: a step that releases the clipped sum under noise of multiplier
/// ``gradientNoiseMultiplier(forTotal:)`` and the count under noise of standard deviation ``countNoiseMultiplier``
/// costs no more than one sum under noise of the total multiplier.
package protocol AdaptiveClipping: ClippingMethod {
    /// C before the first step.
    var initialL2ClipNorm: Double { get }

    /// σ_b, the standard deviation of the noise on the count, in examples.
    var countNoiseMultiplier: Double { get }

    /// The noise multiplier of the sum with which sum and count together cost what z costs. Throws if the count alone
    /// costs as much.
    func gradientNoiseMultiplier(forTotal z: Double) throws(PrivacyMechanismError) -> Double

    /// The clip norm for the next step, from this step's and the noisy share of examples within it.
    func nextL2ClipNorm(after clipNorm: Double, noisyShareWithin share: Double) -> Double

    /// The rule of a step.
    func rule(l2ClipNorm: Double, normalizeBy: Double) throws(PrivacyMechanismError) -> ClippingRule
}

extension AdaptiveClipping {
    package func initialRule(normalizeBy: Double) throws(PrivacyMechanismError) -> ClippingRule {
        try rule(l2ClipNorm: initialL2ClipNorm, normalizeBy: normalizeBy)
    }
}
