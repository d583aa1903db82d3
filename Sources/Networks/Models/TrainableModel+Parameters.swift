import PyTrees

extension TrainableModel {
    /// What a report says of a model whose training began from parameters that somebody gave.
    package static var givenParametersNotCovered: String {
        "The parameters that training began from, which were given, and whatever they were made from: they must be "
            + "public."
    }

    /// The parameters in one vector, to begin training from.
    ///
    /// Throws `ModelError.parametersDoNotFit`, which names the first leaf that differs, and
    /// `ModelError.parameterNotFinite`; `PyTreeError` for a tree whose leaves cannot be told apart.
    package func checkedVector(of parameters: Parameters) throws -> ParameterVector {
        let vector = try parameters.flattened()
        if vector.layout != layout {
            let (found, expected) = (vector.layout.leaves, layout.leaves)
            let place = (0..<max(found.count, expected.count)).first { index in
                index >= found.count || index >= expected.count || found[index].path != expected[index].path
                    || found[index].shape != expected[index].shape
            }
            throw ModelError.parametersDoNotFit(
                found: place.flatMap { $0 < found.count ? found[$0] : nil },
                expected: place.flatMap { $0 < expected.count ? expected[$0] : nil })
        }
        if let place = vector.values.firstIndex(where: { !$0.isFinite }),
            let leaf = layout.leaves.first(where: { $0.range.contains(place) })
        {
            throw ModelError.parameterNotFinite(leaf.path, value: vector.values[place])
        }
        return vector
    }
}
