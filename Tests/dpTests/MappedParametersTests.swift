import Foundation
import PrivateTraining
import Testing

/// `--init` with `--mapping`, and their keys.
@Suite struct MappedParametersTests {
    private static let options = [
        "train", "--demo", "--model", "mlp:64-8-10", "--iterations", "3", "--non-private-seed", "1", "--format", "json",
    ]
    private static let mapping = """
        {"rules": [{"from": "encoder.fc*.weight", "to": "dense*/kernel", "order": "linear"},
                   {"from": "encoder.fc*.bias", "to": "dense*/bias", "order": "same"}],
         "allowMissing": ["dense2"]}
        """

    /// A folder with a mapping, and the first layer of `start` under names of PyTorch's kind, in F16, beside a tensor
    /// of whole numbers.
    private func folder(of start: ParameterVector) throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write(Self.mapping, to: "m.json")
        let (kernel, bias) = (start["dense1/kernel"], start["dense1/bias"])
        let weight = (0..<8).flatMap { output in (0..<64).map { kernel[$0, output] } }
        let header = """
            {"encoder.fc1.weight":{"dtype":"F16","shape":[8,64],"data_offsets":[0,1024]},\
            "encoder.fc1.bias":{"dtype":"F16","shape":[8],"data_offsets":[1024,1040]},\
            "steps":{"dtype":"I64","shape":[],"data_offsets":[1040,1048]}}
            """
        var bytes = Data([UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0]) + Data(header.utf8)
        bytes[0] = UInt8(header.utf8.count & 0xff)
        bytes[1] = UInt8(header.utf8.count >> 8)
        for value in weight + bias.values { withUnsafeBytes(of: Self.half(value).littleEndian) { bytes += $0 } }
        try (bytes + Data(count: 8)).write(to: folder.url.appending(path: "f.safetensors"))
        return folder
    }

    /// The bits of a binary16 with the value, one of those in ``start()``.
    private static func half(_ value: Float) -> UInt16 {
        value == 0 ? 0 : UInt16(value < 0 ? 0x8000 : 0) | UInt16(Int(value.exponent) + 15) << 10
    }

    /// Parameters of the first layer that are powers of two, which a binary16 holds.
    private func start() throws -> ParameterVector {
        var start = try Network(.multilayerPerceptron(dims: [64, 8, 10])).initialParameters(seed: 5)
        start.withUnsafeMutableValues { values in
            for index in values.indices {
                values[index] = (index % 3 == 0 ? -1 : 1) * [0.5, 0.25, 0.125, 0][index % 4]
            }
        }
        return start
    }

    /// A frozen layer comes out as it stands in the file, in every bit; what the file lacks begins from the seed, and
    /// that is said. The report says that what it began from must be public.
    @Test func itBeginsFromAMappedFile() throws {
        let start = try start()
        let folder = try folder(of: start)
        let options = Self.options + ["--init", "f.safetensors", "--mapping", "m.json", "--freeze", "dense1"]
        let outcome = try Program.run(options + ["--output", "RUN"], in: folder)
        #expect(outcome.status == 0, "\(outcome.complaints)")
        let network = try Network(.multilayerPerceptron(dims: [64, 8, 10]))
        let begun = try network.read(folder.url.appending(path: "RUN/initial.safetensors").path)
        let own = network.initialParameters(seed: 0)
        #expect(begun["dense1/kernel"] == start["dense1/kernel"] && begun["dense1/bias"] == start["dense1/bias"])
        #expect(begun["dense2/kernel"] == own["dense2/kernel"] && begun["dense2/bias"] == own["dense2/bias"])
        let model = try network.read(folder.url.appending(path: "RUN/model.safetensors").path)
        #expect(model["dense1/kernel"] == start["dense1/kernel"] && model["dense2/kernel"] != own["dense2/kernel"])
        let report = try folder.text("RUN/report.txt")
        #expect(report.contains("training began from") && report.contains("must be public"))
        let messages = outcome.messages.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(
            messages.contains(
                "'m.json' finds nothing in 'f.safetensors' for dense2/kernel, dense2/bias, which begin from random"))
        #expect(messages.contains("'m.json' matches steps of 'f.safetensors'"), "\(messages)")

        // What is written down leads there from anywhere, and the run goes on without either file.
        for key in ["init", "mapping"] {
            let path = try #require(try folder.object("RUN/config.json")[key] as? String)
            #expect(path.hasPrefix("/") && FileManager.default.fileExists(atPath: path))
        }
        let once = try folder.data("RUN/model.safetensors")
        for name in ["f.safetensors", "m.json", "RUN/result.json"] { try folder.remove(name) }
        let again = try Program.run(["train", "--resume", "--output", "RUN"], in: folder)
        #expect(again.status == 0, "\(again.messages)")
        #expect(try folder.data("RUN/model.safetensors") == once)
    }

    /// The keys of a configuration say the same as the options.
    @Test func aConfigurationNamesTheMapping() throws {
        let folder = try folder(of: start())
        let configuration = """
            {"data": {"kind": "digits"}, "model": "mlp:64-8-10", "init": "f.safetensors", "mapping": "m.json",
             "nonPrivateSeed": 1, "plan": {"iterations": 3, "epsilon": 4, "delta": 1e-5}}
            """
        try folder.write(configuration, to: "c.json")
        let first = try Program.run(["train", "--config", "c.json", "--output", "A"], in: folder)
        #expect(first.status == 0, "\(first.messages)")
        let options = Self.options + ["--init", "f.safetensors", "--mapping", "m.json", "--output", "B"]
        #expect(try Program.run(options, in: folder).status == 0)
        #expect(try folder.data("A/initial.safetensors") == folder.data("B/initial.safetensors"))
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let folder = try folder(of: start())
        try folder.write(Self.mapping.replacing("dense2", with: "dense3"), to: "missing.json")
        try folder.write(Self.mapping.replacing("linear", with: "same"), to: "shape.json")
        try folder.write(Self.mapping.replacing("linear", with: "linar"), to: "order.json")
        try folder.write(Self.mapping.replacing("[\"dense2\"]", with: "[]"), to: "strict.json")
        try folder.write(
            Self.mapping.replacing("encoder.fc*.bias", with: "steps").replacing("dense*/b", with: "dense1/b"),
            to: "type.json")
        let wrong: [(options: [String], status: Int32, says: [String])] = [
            (["--mapping", "m.json"], 64, ["--mapping", "--init is missing"]),
            (["--init", "f.safetensors", "--mapping", "none.json"], 64, ["--mapping", "none.json"]),
            (
                ["--init", "f.safetensors", "--mapping", "missing.json"], 1,
                ["dense3", "f.safetensors", "choose among"]
            ),
            (["--init", "f.safetensors", "--mapping", "shape.json"], 1, ["encoder.fc1.weight", "[8, 64]", "[64, 8]"]),
            (["--init", "f.safetensors", "--mapping", "order.json"], 1, ["order.json", "rules.0.order", "'linear'"]),
            (["--init", "f.safetensors", "--mapping", "strict.json"], 1, ["encoder.fc2.weight", "dense2/kernel"]),
            (["--init", "f.safetensors", "--mapping", "type.json"], 1, ["steps", "[]", "[8]"]),
        ]
        for (options, status, says) in wrong {
            let outcome = try Program.run(Self.options + options + ["--output", "RUN"], in: folder)
            #expect(outcome.status == status, "\(outcome.messages)")
            let messages = outcome.messages.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for part in says { #expect(messages.contains(part), "\(messages)") }
            #expect(try !folder.names(in: ".").contains("RUN"))
        }
    }
}
