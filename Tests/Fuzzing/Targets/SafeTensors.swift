import Datasets

@testable import dp

extension FuzzTarget {
    /// Tensors, as a tree and by name. What was read can be written and read again.
    static let safetensors = FuzzTarget(name: "safetensors") { bytes in
        let path = ScratchFile.holding(bytes)
        _ = try? SafeTensors.readTensors(path, limit: fileLimit)
        let contents = try SafeTensors.read(path, limit: fileLimit)
        let copy = "\(ScratchFile.folder)/copy"
        try SafeTensors.write(contents.parameters, metadata: contents.metadata, to: copy)
        let again = try SafeTensors.read(copy, as: contents.parameters.layout, limit: fileLimit)
        let (first, second) = (contents.parameters.values, again.parameters.values)
        expect(
            first.count == second.count && zip(first, second).allSatisfy { $0.bitPattern == $1.bitPattern },
            "Written tensors have other bits.")
        expect(contents.metadata == again.metadata, "Written metadata are others.")
    }

    /// Which tensors of a file are which leaves.
    static let mapping = FuzzTarget(
        name: "mapping", seeds: { try FormatSeeds.objects(of: Formats.mapping) }
    ) { bytes in
        _ = try roundTrip(WeightMapping.self, bytes)
    }
}
