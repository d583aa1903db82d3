import Datasets
import PyTrees
import Requirements

extension Network {
    /// Reads parameters from a safetensors file: with this package's names (`dense1.kernel`), as
    /// ``/Datasets/SafeTensors`` writes them, or with PyTorch's, as ``readPyTorch(_:names:)``
    /// reads them.
    ///
    /// They are this package's if all of them are the network's own, or if one ends in `.kernel`; PyTorch's if one ends
    /// in `.weight`. PyTorch's `conv1.bias` alone may be the name of a leaf, too.
    ///
    /// Throws `FileError`, which names the tensor that does not fit, and both shapes.
    public func read(_ path: String) throws(FileError) -> ParameterVector {
        let tensors = try SafeTensors.readTensors(path)
        let names = tensors.keys
        let areOwn =
            Set(layout.leaves.map(SafeTensors.name(of:))).isSuperset(of: names)
            || names.contains { $0.hasSuffix(".kernel") }
            || !names.contains { $0.split(separator: ".").last == "weight" }
        return areOwn || pyTorchLayers == nil
            ? try SafeTensors.read(path, as: layout).parameters : try parameters(of: tensors, names: nil, path: path)
    }

    /// Reads the state of a PyTorch model of the same layers, saved by `safetensors.torch.save_file`.
    ///
    /// An `nn.Linear` has a `weight` [outputs, inputs] and a `bias` [outputs]; an `nn.Conv2d` has a `weight` [outputs,
    /// channels, height, width]. Both are brought into this package's order, also where an image is flattened: PyTorch
    /// lays images out by channel, row and column, and this package by row, column and channel.
    ///
    /// Layers are matched in the order of their names, numbers by value: `0`, `2`, `10` of an `nn.Sequential`, `fc1`,
    /// `fc2`. Where that is not the order of the layers, `names` says which tensor each leaf is; then other tensors in
    /// the file are left alone. Names that differ in more than numbers, such as `conv1` and `fc1`, say no order: of two
    /// such layers with weights of one shape, which could be exchanged without a trace, `names` has to say it.
    /// Activations and poolings are not part of the file: that they agree is up to the caller.
    ///
    ///     let names: [TreePath: String] = ["dense1/kernel": "head.weight", "dense1/bias": "head.bias"]
    ///     try network.readPyTorch("m.safetensors", names: names)
    ///
    /// Throws `FileError` for a file that cannot be read, and for a tensor that is missing, unexpected or of another
    /// shape, or whose place is not clear. Traps if `names` leaves out a leaf.
    public func readPyTorch(_ path: String, names: [TreePath: String]? = nil) throws(FileError) -> ParameterVector {
        try parameters(of: SafeTensors.readTensors(path), names: names, path: path)
    }

    private func parameters(
        of tensors: [String: Tensor], names: [TreePath: String]?, path: String
    ) throws(FileError) -> ParameterVector {
        do throws(SafeTensorsProblem) {
            let layers = requiredPyTorchLayers
            let names =
                if let names { namePairs(names) } else { try namePairs(in: tensors, layers: layers) }
            var parameters = ParameterVector(zeros: layout)
            for (layer, (weightName, biasName)) in zip(layers, names) {
                let weight = try tensors.tensor(weightName, shape: layer.weightShape)
                let bias = try tensors.tensor(biasName, shape: layer.bias.shape)
                parameters.withUnsafeMutableValues { values in
                    _ = UnsafeMutableBufferPointer(rebasing: values[layer.kernel.range])
                        .update(fromContentsOf: layer.kernel(fromWeight: weight.values))
                    _ = UnsafeMutableBufferPointer(rebasing: values[layer.bias.range])
                        .update(fromContentsOf: bias.values)
                }
            }
            return parameters
        } catch {
            throw .tensors(path: path, problem: error)
        }
    }

    /// Writes parameters as the state of an `nn.Sequential` of the same layers: `0.weight`, `0.bias`, `2.weight`, …
    ///
    /// Activations (but the identity), poolings and an `nn.Flatten` after an image have numbers of their own and no
    /// tensors. Throws `FileError` if the file cannot be written. Traps unless `parameters` fit the
    /// network, and if it has layers other than dense ones, convolutions and pooling.
    public func writePyTorch(_ parameters: ParameterVector, to path: String) throws(FileError) {
        require(
            parameters.layout == layout,
            "Parameters of layout\n\(parameters.layout)\ndo not fit a network of layout\n\(layout)")
        let layers = requiredPyTorchLayers
        let leaves = layers.flatMap { layer in
            [
                (path: TreePath(["\(layer.place)", "weight"]), shape: layer.weightShape),
                (path: TreePath(["\(layer.place)", "bias"]), shape: layer.bias.shape),
            ]
        }
        let values = layers.flatMap { layer in
            layer.weight(fromKernel: parameters.values[layer.kernel.range]) + parameters.values[layer.bias.range]
        }
        let vector: ParameterVector
        do throws(PyTreeError) {
            vector = try ParameterVector(values: values, layout: TreeLayout(leaves))
        } catch {
            fail(error.description)
        }
        try SafeTensors.write(vector, to: path)
    }

    private var requiredPyTorchLayers: [PyTorchLayer] {
        guard let pyTorchLayers else {
            fail("Only dense layers, convolutions and pooling have an order in PyTorch: give a mapping of names.")
        }
        return pyTorchLayers
    }

    private typealias NamePair = (weight: String, bias: String)

    /// The names of each layer's tensors, as the caller gives them.
    private func namePairs(_ names: [TreePath: String]) -> [NamePair] {
        func name(_ leaf: TreeLayout.Leaf) -> String {
            guard let name = names[leaf.path] else {
                fail("No name was given for '\(leaf.path)': name a tensor for each leaf, or leave the names out.")
            }
            return name
        }
        return requiredPyTorchLayers.map { (name($0.kernel), name($0.bias)) }
    }

    /// The names of each layer's tensors, in the order of their prefixes.
    private func namePairs(
        in tensors: [String: Tensor], layers: [PyTorchLayer]
    ) throws(SafeTensorsProblem) -> [NamePair] {
        var prefixes: Set<String> = []
        for name in tensors.keys.sorted() {
            let end = name.lastIndex(of: ".").map { name.index(after: $0) } ?? name.startIndex
            guard ["weight", "bias"].contains(name[end...]) else { throw .unexpectedTensor(name) }
            prefixes.insert(String(name[..<end]))
        }
        let ordered = prefixes.sorted { NaturalOrder($0) < NaturalOrder($1) }
        func module(_ prefix: String) -> String { prefix.hasSuffix(".") ? String(prefix.dropLast()) : prefix }
        guard ordered.count == layers.count else {
            throw .layerCountMismatch(layers: ordered.map(module), expected: layers.count)
        }
        for second in layers.indices {
            for first in 0..<second where layers[first].weightShape == layers[second].weightShape {
                guard NaturalOrder(ordered[first]).precedesByNumber(NaturalOrder(ordered[second])) else {
                    throw .ambiguousOrder(
                        module(ordered[first]), module(ordered[second]), shape: layers[first].weightShape)
                }
            }
        }
        return ordered.map { ($0 + "weight", $0 + "bias") }
    }
}

extension [String: Tensor] {
    fileprivate func tensor(_ name: String, shape: [Int]) throws(SafeTensorsProblem) -> Tensor {
        guard let tensor = self[name] else { throw .missingTensor(name) }
        guard tensor.shape == shape else {
            throw .shapeMismatch(name: name, shape: tensor.shape, expected: shape)
        }
        return tensor
    }
}

/// Compares text by runs: numbers by value, other characters as they are. `fc2` comes before `fc10`.
private struct NaturalOrder: Comparable {
    private enum Run: Comparable {
        case number(Int)
        case text(String)
    }

    private let runs: [Run]

    init(_ text: String) {
        var runs: [Run] = []
        var rest = text[...]
        while let first = rest.first {
            let run = rest.prefix { $0.isASCIIDigit == first.isASCIIDigit }
            runs.append(Int(run).map { .number($0) } ?? .text(String(run)))
            rest = rest[run.endIndex...]
        }
        self.runs = runs
    }

    /// Whether it comes before `other` for its numbers alone: all else is the same.
    func precedesByNumber(_ other: NaturalOrder) -> Bool {
        func text(_ run: Run) -> String? { if case .text(let text) = run { text } else { nil } }
        return self < other && runs.map(text) == other.runs.map(text)
    }

    static func < (left: NaturalOrder, right: NaturalOrder) -> Bool {
        left.runs.lexicographicallyPrecedes(right.runs)
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
