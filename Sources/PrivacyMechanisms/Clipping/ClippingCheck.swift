import PyTrees

/// Range checks shared by the clipping methods, so that each wording exists once.
enum ClippingCheck {
    /// Far more than any gradient needs, and far enough from Float64's ends that no product or quotient of a clip norm,
    /// a Float32 gradient, a Float32 scale and these constants overflows, or loses precision below the normal range.
    static let constants = 1e-100...1e100

    static func clipNorm(_ norm: Double, at path: TreePath) throws(PrivacyMechanismError) {
        guard norm == 0 || norm == .infinity || constants.contains(norm) else {
            throw .invalidClipNorm(norm, path: path)
        }
    }

    static func clipNorms(_ norms: PrefixTree<Double>, at path: TreePath) throws(PrivacyMechanismError) {
        switch norms {
        case .value(let norm): try clipNorm(norm, at: path)
        case .children(let children):
            for (key, child) in children.sorted(by: { $0.key < $1.key }) {
                try clipNorms(child, at: path.appending(key))
            }
        }
    }

    /// For methods that divide by a norm and a constant γ, and bound nothing where the clip norm is infinite.
    static func clipNorm(
        _ norm: Double, stability: Double, method: String
    ) throws(PrivacyMechanismError) {
        try clipNorm(norm, at: .root)
        guard norm < .infinity else { throw .unboundedClipNorm(method: method) }
        guard constants.contains(stability) else { throw .invalidStability(stability) }
    }
}
