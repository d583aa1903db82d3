/// The arrays of a `.npz` archive, by the names that sets of examples give them.
struct NumPyArchive {
    private let archive: ZipArchive
    private let path: String
    private let limit: Int

    init(_ archive: ZipArchive, path: String, limit: Int) {
        self.archive = archive
        self.path = path
        self.limit = limit
    }

    /// The names of the members, sorted.
    var names: [String] { archive.names }

    /// What the names of the set's arrays end with: of the test set, if there is one and it is wanted.
    func suffix(isEvaluated: Bool) -> String {
        if isEvaluated, names.contains("x_test.npy") { return "_test" }
        return names.contains("x_train.npy") ? "_train" : ""
    }

    /// The arrays of a set; nil without inputs.
    func examples(_ suffix: String) throws(DatasetError) -> NumPyExamples? {
        guard let inputs = try array("x\(suffix)") else { return nil }
        let names = ["y\(suffix)", "targets\(suffix)"]
        let there = names.filter { self.names.contains("\($0).npy") }
        guard there.count <= 1 else { throw .numPy(path: path, problem: .ambiguousArrays(there)) }
        var labels: NamedArray?
        if let name = there.first { labels = try array(name) }
        return NumPyExamples(inputs: inputs, labels: labels, lengths: try array("lengths\(suffix)"))
    }

    private func array(_ name: String) throws(DatasetError) -> NamedArray? {
        let member = "\(path)/\(name).npy"
        guard let bytes = try archive.read("\(name).npy", limit: limit) else { return nil }
        return NamedArray(try NumPyArray(bytes, path: member), path: member)
    }
}
