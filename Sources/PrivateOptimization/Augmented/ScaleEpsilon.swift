/// Values for ε in the scale 1/(√v + ε) of ``ScaleThenPrivatize``.
///
/// v is 0 before the first step, so that the first scale is 1/ε everywhere. The larger ε is, the sooner noise and
/// clipping see gradients of their own size; the smaller it is, the more the scale follows v.
public enum ScaleEpsilon {
    /// 10⁻³: the default, which trains from the first step on.
    public static let usual = 1e-3

    /// 10⁻⁸: what arXiv 2507.01129, algorithm 8, takes over from Adam, and recommends to tune.
    ///
    /// The noisy gradients of the first steps are divided by a scale of 10⁸ and then lie below the base's own ε:
    /// updates all but vanish, v stays below ε², and an optimizer can stand still for hundreds of steps.
    public static let paper = 1e-8
}
