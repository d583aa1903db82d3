import Datasets

extension FuzzTarget {
    /// Whatever a gzip file inflates to, within a limit.
    static let gzip = FuzzTarget(name: "gzip") { bytes in
        let limit = 1 << 20
        let content = try FileContents.readInflating(ScratchFile.holding(bytes), limit: limit)
        expect(content.count <= limit, "\(content.count) bytes were inflated, though \(limit) were allowed.")
    }
}
