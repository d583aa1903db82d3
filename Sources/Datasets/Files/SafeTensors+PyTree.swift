import PyTrees

extension SafeTensors {
    /// Writes parameters that are a tree: a leaf at `blocks/0/kernel` becomes the tensor `blocks.0.kernel`.
    ///
    /// Throws ``FileError`` as for a vector. Traps if two children of the tree share a key.
    public static func write(
        _ parameters: some PyTree, metadata: [String: String] = [:], to path: String
    ) throws(FileError) {
        try write(parameters.vector(), metadata: metadata, to: path)
    }

    /// Reads the file at `path` into a tree like `parameters`, in whatever order the file holds its tensors.
    ///
    ///     let model = try SafeTensors.read("model.safetensors", like: Classifier())
    ///
    /// Throws ``FileError`` unless the tensors are exactly the tree's leaves. Traps if two children of the tree share a
    /// key.
    public static func read<Tree: PyTree>(
        _ path: String, like parameters: Tree, limit: Int = FileContents.usualLimit
    ) throws(FileError) -> Tree {
        parameters.holding(try read(path, as: parameters.requiredLayout, limit: limit).parameters)
    }
}
