import PrivateTraining

/// The parameters of a file that training begins from.
struct GivenParameters {
    let parameters: ParameterVector
    /// What the user should know of them.
    let notes: [String]
}

extension GivenParameters {
    /// Reads the file that `configuration` begins from, by its mapping where it has one; nil if there is no file.
    ///
    /// Leaves that the mapping lets be missing begin as they would without a file. Throws `FileError`, and
    /// `TrainingConfigurationError` for a mapping that is none.
    init?(of configuration: TrainingConfiguration, for network: Network) throws {
        guard let path = configuration.initial else { return nil }
        guard let file = configuration.mapping else {
            self.init(parameters: try network.read(path), notes: [])
            return
        }
        let mapping: WeightMapping = try readConfiguration(file)
        let read = try SafeTensors.read(
            path, into: network.initialParameters(seed: configuration.initializationSeed), by: mapping)
        var notes: [String] = []
        if !read.keptLeaves.isEmpty {
            let leaves = read.keptLeaves.map(\.description).joined(separator: ", ")
            notes.append("'\(file)' finds nothing in '\(path)' for \(leaves), which begin from random numbers")
        }
        if !read.unreadTensors.isEmpty {
            let tensors = read.unreadTensors.joined(separator: ", ").printable
            notes.append("no rule of '\(file)' matches \(tensors) of '\(path)', which are left alone")
        }
        self.init(parameters: read.parameters, notes: notes)
    }
}
