@testable import PrivacyAccounting

/// ε at δ of one or two steps of a Gaussian mechanism on Poisson batches, computed with mpmath in 60 digits (30 for two
/// steps) from the closed form, without any code of this package:
///
///     δ₁(ε) = P(L > ε) − e^ε·Q(L > ε)                    of the pair, with Φ̄(x) = erfc(x/√2)/2 for Gaussian tails
///     δ₂(ε) = ∫ p(x)·δ₁(ε − L(x)) dx                     mpmath.quad over pieces of length 2, |x| ≤ 38
///     L(x)  = log1p(q·expm1(μ(x − μ/2))), μ = 1/z        removing, P = (1 − q)N(0) + qN(μ), Q = N(0)
///
/// Adding is the pair (Q, P); add-or-remove is the worse of both. Replacing has P as above, Q its mirror image. ε is
/// the root of δ(ε) = δ by bisection (by false position in logarithms for two steps), or 0 where δ(0) ≤ δ.
struct ExactEpsilon: Sendable {
    let relation: NeighboringRelation
    let q, z, delta, epsilon: Double
    let steps: Int

    init(_ relation: NeighboringRelation, _ q: Double, _ z: Double, _ steps: Int, _ delta: Double, _ epsilon: Double) {
        (self.relation, self.q, self.z, self.delta, self.epsilon) = (relation, q, z, delta, epsilon)
        self.steps = steps
    }

    /// Whether a fine grid takes milliseconds: not for the wide losses of little noise, nor where ε is 0 or near it.
    var isCheap: Bool { z >= 10 && delta <= 1e-12 }

    static let all: [ExactEpsilon] = [
        .init(.addOrRemoveOne, 0.000530512988818602, 28.803502283377426, 1, 5.43e-48, 0.00031908347716939283),
        .init(.replaceOne, 6.0935e-4, 46.4353, 1, 3.64e-214, 0.00086759618944943374),
        .init(.addOrRemoveOne, 1e-05, 3, 1, 1e-3, 0.0),
        .init(.replaceOne, 1e-05, 3, 1, 1e-3, 0.0),
        .init(.addOrRemoveOne, 1e-05, 3, 1, 1e-12, 3.9912035765884391e-5),
        .init(.replaceOne, 1e-05, 3, 1, 1e-12, 4.8226252223711788e-5),
        .init(.addOrRemoveOne, 1e-05, 3, 1, 1e-47, 0.00090276418971900455),
        .init(.replaceOne, 1e-05, 3, 1, 1e-47, 0.00091266854917351147),
        .init(.addOrRemoveOne, 1e-05, 3, 1, 1e-130, 0.027569553355549826),
        .init(.replaceOne, 1e-05, 3, 1, 1e-130, 0.027579550249181499),
        .init(.addOrRemoveOne, 1e-05, 3, 1, 1e-221, 0.30291945058777225),
        .init(.replaceOne, 1e-05, 3, 1, 1e-221, 0.3029294503874945),
        .init(.addOrRemoveOne, 1e-05, 3, 1, 1e-279, 0.8526820570621223),
        .init(.replaceOne, 1e-05, 3, 1, 1e-279, 0.85269205704625348),
        .init(.addOrRemoveOne, 7.03e-05, 19.26, 1, 1e-3, 0.0),
        .init(.replaceOne, 7.03e-05, 19.26, 1, 1e-3, 0.0),
        .init(.addOrRemoveOne, 7.03e-05, 19.26, 1, 1e-12, 1.9479145213164029e-5),
        .init(.replaceOne, 7.03e-05, 19.26, 1, 1e-12, 3.5566647128239127e-5),
        .init(.addOrRemoveOne, 7.03e-05, 19.26, 1, 1e-47, 7.0739959039654781e-5),
        .init(.replaceOne, 7.03e-05, 19.26, 1, 1e-47, 0.00010624337890900265),
        .init(.addOrRemoveOne, 7.03e-05, 19.26, 1, 1e-130, 0.00016997310901280264),
        .init(.replaceOne, 7.03e-05, 19.26, 1, 1e-130, 0.00021980885590918286),
        .init(.addOrRemoveOne, 7.03e-05, 19.26, 1, 1e-221, 0.0002864274836699244),
        .init(.replaceOne, 7.03e-05, 19.26, 1, 1e-221, 0.00034293726174279068),
        .init(.addOrRemoveOne, 7.03e-05, 19.26, 1, 1e-279, 0.00036892992688330082),
        .init(.replaceOne, 7.03e-05, 19.26, 1, 1e-279, 0.00042802863959922457),
        .init(.addOrRemoveOne, 0.000159, 14.1, 1, 1e-3, 0.0),
        .init(.replaceOne, 0.000159, 14.1, 1, 1e-3, 0.0),
        .init(.addOrRemoveOne, 0.000159, 14.1, 1, 1e-12, 6.6674746087496814e-5),
        .init(.replaceOne, 0.000159, 14.1, 1, 1e-12, 0.00011597376848229424),
        .init(.addOrRemoveOne, 0.000159, 14.1, 1, 1e-47, 0.00025525751209747559),
        .init(.replaceOne, 0.000159, 14.1, 1, 1e-47, 0.00035388081158726774),
        .init(.addOrRemoveOne, 0.000159, 14.1, 1, 1e-130, 0.00069634928611278469),
        .init(.replaceOne, 0.000159, 14.1, 1, 1e-130, 0.00082604662697245925),
        .init(.addOrRemoveOne, 0.000159, 14.1, 1, 1e-221, 0.0013069989506314326),
        .init(.replaceOne, 0.000159, 14.1, 1, 1e-221, 0.0014488994740622414),
        .init(.addOrRemoveOne, 0.000159, 14.1, 1, 1e-279, 0.0017879288417946635),
        .init(.replaceOne, 0.000159, 14.1, 1, 1e-279, 0.0019340560840090688),
        .init(.addOrRemoveOne, 0.002, 108.8, 1, 1e-3, 0.0),
        .init(.replaceOne, 0.002, 108.8, 1, 1e-3, 0.0),
        .init(.addOrRemoveOne, 0.002, 108.8, 1, 1e-12, 9.4072014562447615e-5),
        .init(.replaceOne, 0.002, 108.8, 1, 1e-12, 0.00018847645662408376),
        .init(.addOrRemoveOne, 0.002, 108.8, 1, 1e-47, 0.00026435369864810563),
        .init(.replaceOne, 0.002, 108.8, 1, 1e-47, 0.00049960978297306061),
        .init(.addOrRemoveOne, 0.002, 108.8, 1, 1e-130, 0.00048705832928453823),
        .init(.replaceOne, 0.002, 108.8, 1, 1e-130, 0.00087981009173131565),
        .init(.addOrRemoveOne, 0.002, 108.8, 1, 1e-221, 0.00066680593478505015),
        .init(.replaceOne, 0.002, 108.8, 1, 1e-221, 0.0011678057331277347),
        .init(.addOrRemoveOne, 0.002, 108.8, 1, 1e-279, 0.00076666212210949529),
        .init(.replaceOne, 0.002, 108.8, 1, 1e-279, 0.001321766224597653),
        .init(.addOrRemoveOne, 0.01, 1, 1, 1e-3, 0.021673409840147858),
        .init(.replaceOne, 0.01, 1, 1, 1e-3, 0.030913869788641285),
        .init(.addOrRemoveOne, 0.01, 1, 1, 1e-12, 2.0754261097625319),
        .init(.replaceOne, 0.01, 1, 1, 1e-12, 2.0854717618379193),
        .init(.addOrRemoveOne, 0.01, 1, 1, 1e-47, 9.8478475814759983),
        .init(.replaceOne, 0.01, 1, 1, 1e-47, 9.8578979154872684),
        .init(.addOrRemoveOne, 0.01, 1, 1, 1e-130, 19.870319076718201),
        .init(.replaceOne, 0.01, 1, 1, 1e-130, 19.880369412571619),
        .init(.addOrRemoveOne, 0.01, 1, 1, 1e-221, 27.403954812857012),
        .init(.replaceOne, 0.01, 1, 1, 1e-221, 27.414005148710513),
        .init(.addOrRemoveOne, 0.01, 1, 1, 1e-279, 31.383661772028947),
        .init(.replaceOne, 0.01, 1, 1, 1e-279, 31.393712107882449),
        .init(.addOrRemoveOne, 0.01, 300, 1, 1e-3, 0.0),
        .init(.replaceOne, 0.01, 300, 1, 1e-3, 0.0),
        .init(.addOrRemoveOne, 0.01, 300, 1, 1e-12, 0.00017172038139955288),
        .init(.replaceOne, 0.01, 300, 1, 1e-12, 0.00034883873834478787),
        .init(.addOrRemoveOne, 0.01, 300, 1, 1e-47, 0.00046188011279611323),
        .init(.replaceOne, 0.01, 300, 1, 1e-47, 0.00090682781361392598),
        .init(.addOrRemoveOne, 0.01, 300, 1, 1e-130, 0.00082316905115708269),
        .init(.replaceOne, 0.01, 300, 1, 1e-130, 0.0015861454156259451),
        .init(.addOrRemoveOne, 0.01, 300, 1, 1e-221, 0.0011002307582398107),
        .init(.replaceOne, 0.01, 300, 1, 1e-221, 0.0020937623656093179),
        .init(.addOrRemoveOne, 0.01, 300, 1, 1e-279, 0.0012490523309425314),
        .init(.replaceOne, 0.01, 300, 1, 1e-279, 0.0023618536521929662),
        .init(.addOrRemoveOne, 0.3, 0.6, 1, 1e-3, 4.1312768369024513),
        .init(.replaceOne, 0.3, 0.6, 1, 1e-3, 4.4878575653932303),
        .init(.addOrRemoveOne, 0.3, 0.6, 1, 1e-12, 11.230289845909625),
        .init(.replaceOne, 0.3, 0.6, 1, 1e-12, 11.586964701168832),
        .init(.addOrRemoveOne, 0.3, 0.6, 1, 1e-47, 23.893270609566995),
        .init(.replaceOne, 0.3, 0.6, 1, 1e-47, 24.249945553505423),
        .init(.addOrRemoveOne, 0.3, 0.6, 1, 1e-130, 40.412391349289651),
        .init(.replaceOne, 0.3, 0.6, 1, 1e-130, 40.769066293228384),
        .init(.addOrRemoveOne, 0.3, 0.6, 1, 1e-221, 52.905177965582454),
        .init(.replaceOne, 0.3, 0.6, 1, 1e-221, 53.261852909521186),
        .init(.addOrRemoveOne, 0.3, 0.6, 1, 1e-279, 59.515278889683961),
        .init(.replaceOne, 0.3, 0.6, 1, 1e-279, 59.871953833622693),
        .init(.addOrRemoveOne, 0.5, 20, 1, 1e-3, 0.034989706698759717),
        .init(.replaceOne, 0.5, 20, 1, 1e-3, 0.083984651130772884),
        .init(.addOrRemoveOne, 0.5, 20, 1, 1e-12, 0.16801732189764059),
        .init(.replaceOne, 0.5, 20, 1, 1e-12, 0.31700521727985972),
        .init(.addOrRemoveOne, 0.5, 20, 1, 1e-47, 0.41162313593274069),
        .init(.replaceOne, 0.5, 20, 1, 1e-47, 0.704604319194884),
        .init(.addOrRemoveOne, 0.5, 20, 1, 1e-130, 0.77167833074096734),
        .init(.replaceOne, 0.5, 20, 1, 1e-130, 1.2031263697553948),
        .init(.addOrRemoveOne, 0.5, 20, 1, 1e-221, 1.0726518062814465),
        .init(.replaceOne, 0.5, 20, 1, 1e-221, 1.5789258349664566),
        .init(.addOrRemoveOne, 0.5, 20, 1, 1e-279, 1.2401399562730636),
        .init(.replaceOne, 0.5, 20, 1, 1e-279, 1.7775968640662871),
        .init(.addOrRemoveOne, 0.000530512988818602, 28.803502283377426, 2, 5.43e-48, 0.000420096768821587),
        .init(.replaceOne, 0.000530512988818602, 28.803502283377426, 2, 5.43e-48, 0.000723061525784295),
        .init(.addOrRemoveOne, 0.000530512988818602, 28.803502283377426, 2, 1e-12, 0.000140737079173337),
        .init(.replaceOne, 0.000530512988818602, 28.803502283377426, 2, 1e-12, 0.000270994625556605),
        .init(.addOrRemoveOne, 0.000159, 14.1, 2, 1e-93, 0.000544127182065278),
        .init(.replaceOne, 0.000159, 14.1, 2, 1e-93, 0.000743521031093176),
        .init(.addOrRemoveOne, 0.01, 300, 2, 1e-221, 0.00153279097396648),
        .init(.replaceOne, 0.01, 300, 2, 1e-221, 0.00295945940133849),
        .init(.addOrRemoveOne, 0.5, 20, 2, 1e-130, 1.02619467944386),
        .init(.replaceOne, 0.5, 20, 2, 1e-130, 1.70318381047162),
    ]
}
