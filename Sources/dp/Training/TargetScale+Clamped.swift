import PrivateTraining

extension TargetScale {
    /// Says how many of the targets that a model is evaluated on lie at or beyond the bounds, if any do: errors are of
    /// what they were clamped to. Not for training data, of which a count would tell.
    func warnOfClamped(_ targets: Targets) {
        guard case .values(let encoded) = targets else { return }
        let clamped = encoded.withUnsafeElements { $0.count { $0 <= 0 || $0 >= 1 } }
        if clamped == 0 { return }
        warn(
            "\(clamped) of \(encoded.rows) numbers to predict in '\(column.printable)' lie at or beyond the schema's "
                + "bounds, \(lower) and \(upper), and are clamped to them: RMSE, R² and loss are of clamped targets.")
    }
}
