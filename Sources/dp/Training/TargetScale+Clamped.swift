import PrivateTraining

extension TargetScale {
    /// Says how many of the targets that a model is evaluated on lie at or beyond the bounds, if any do: errors are of
    /// what they were clamped to. Not for training data, of which a count would tell.
    ///
    /// Throws what reading throws.
    func warnOfClamped(in data: any Dataset) throws {
        var clamped = 0
        for begin in stride(from: 0, to: data.count, by: 1024) {
            let targets = try data.examples(at: Array(begin..<min(begin + 1024, data.count))).targets
            guard case .values(let encoded) = targets else { return }
            clamped += encoded.withUnsafeElements { $0.count { $0 <= 0 || $0 >= 1 } }
        }
        if clamped == 0 { return }
        warn(
            "\(clamped) of \(data.count) numbers to predict in '\(column.printable)' lie at or beyond the schema's "
                + "bounds, \(lower) and \(upper), and are clamped to them: RMSE, R² and loss are of clamped targets.")
    }
}
