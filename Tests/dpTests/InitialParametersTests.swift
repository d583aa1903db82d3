import Foundation
import PrivateTraining
import Testing

/// `--init`, `--freeze` and their keys.
@Suite struct InitialParametersTests {
    private static let options = [
        "train", "--demo", "--model", "mlp:64-8-10", "--iterations", "3", "--non-private-seed", "1", "--format", "json",
    ]

    private func network() throws -> Network { try Network(.multilayerPerceptron(dims: [64, 8, 10])) }

    /// A run begins from the file, whichever names it has; frozen layers come out as they went in, in every bit.
    @Test func itBeginsFromAFileAndKeepsWhatIsFrozen() throws {
        let network = try network()
        let start = network.initialParameters(seed: 5)
        let folder = try WorkFolder()
        try SafeTensors.write(start, to: folder.path("own.safetensors"))
        try network.writePyTorch(start, to: folder.path("torch.safetensors"))
        var models: [ParameterVector] = []
        for name in ["own", "torch"] {
            let outcome = try Program.run(
                Self.options + ["--init", "\(name).safetensors", "--freeze", "dense1", "--output", name], in: folder)
            #expect(outcome.status == 0, "\(outcome.complaints)")
            let model = try network.read(folder.path("\(name)/model.safetensors"))
            #expect(model["dense1/kernel"] == start["dense1/kernel"] && model["dense1/bias"] == start["dense1/bias"])
            #expect(model["dense2/kernel"] != start["dense2/kernel"])
            models.append(model)
            let report = try folder.text("\(name)/report.txt")
            #expect(report.contains("training began from") && report.contains("dense1/kernel, dense1/bias"))
            #expect(report.contains("must be public"))
        }
        #expect(models[0] == models[1])
        // Control: without the file it begins elsewhere.
        #expect(try Program.run(Self.options + ["--output", "other"], in: folder).status == 0)
        let other = try network.read(folder.path("other/model.safetensors"))
        #expect(other["dense1/kernel"] != start["dense1/kernel"])
        #expect(try !folder.text("other/report.txt").contains("training began from"))
    }

    /// A run that goes on needs neither the file nor the folder that it was started from.
    @Test func aRunGoesOnWithoutTheFile() throws {
        let network = try network()
        let folder = try WorkFolder()
        try SafeTensors.write(network.initialParameters(seed: 5), to: folder.path("own.safetensors"))
        let options = Self.options + ["--init", "own.safetensors", "--freeze", "dense1/kernel", "--output", "RUN"]
        #expect(try Program.run(options, in: folder).status == 0)
        let once = try folder.data("RUN/model.safetensors")
        try FileManager.default.removeItem(atPath: folder.path("own.safetensors"))
        let again = try Program.run(["train", "--resume", "--output", "RUN", "--format", "json"], in: folder)
        #expect(again.status == 0, "\(again.complaints)")
        #expect(try folder.data("RUN/model.safetensors") == once)
        #expect(try folder.text("RUN/report.txt").contains("training began from"))
    }

    /// A run with checkpoints does not go on from the file that its parameters came from: that may have changed.
    @Test func aRunWithoutItsOwnCopyDoesNotGoOn() throws {
        let folder = try WorkFolder()
        try SafeTensors.write(try network().initialParameters(seed: 5), to: folder.path("own.safetensors"))
        let options = Self.options + ["--init", "own.safetensors", "--freeze", "dense1", "--output", "RUN"]
        #expect(try Program.run(options, in: folder).status == 0)
        let path = try #require(try folder.object("RUN/config.json")["init"] as? String)
        #expect(path.hasPrefix("/") && FileManager.default.fileExists(atPath: path))
        for name in ["result.json", "initial.safetensors"] { try folder.remove("RUN/\(name)") }
        let again = try Program.run(["train", "--resume", "--output", "RUN"], in: folder)
        let says = "RUN/initial.safetensors' is missing"
        #expect(again.status == 1 && again.messages.contains(says), "\(again.messages)")
        // Nor with other values in it.
        try SafeTensors.write(try network().initialParameters(seed: 6), to: folder.path("RUN/initial.safetensors"))
        let other = try Program.run(["train", "--resume", "--output", "RUN"], in: folder)
        #expect(other.status == 1 && other.messages.contains("kept other parameters fixed"), "\(other.messages)")
    }

    /// Clip norms that do not fit the leaves that are trained stop the run before it leaves anything behind.
    @Test func clipNormsThatDoNotFitLeaveNothingBehind() throws {
        let folder = try WorkFolder()
        let configuration = """
            {"data": {"kind": "digits"}, "model": "mlp:64-8-10",
             "plan": {"expectedBatchSize": 60, "iterations": 2, "noiseMultiplier": 1, "delta": 1e-5,
                      "clipping": {"method": "threshold", "l2ClipNorm": {"dense1": 1, "dense2": 1}}}}
            """
        try folder.write(configuration, to: "c.json")
        let options = ["train", "--config", "c.json", "--output", "RUN"]
        let refused = try Program.run(options + ["--freeze", "dense1"], in: folder)
        #expect(refused.status != 0 && refused.messages.contains("dense1"), "\(refused.messages)")
        #expect(!folder.has("RUN"))
        // Control: with all leaves trained, they fit.
        let fitting = try Program.run(options, in: folder)
        #expect(fitting.status == 0, "\(fitting.messages)")
    }

    /// An empty path is not the working folder.
    @Test func anEmptyPathIsRefused() throws {
        let folder = try WorkFolder()
        for arguments in [Self.options + ["--output", ""], ["evaluate", "--run", "", "--data", "x.csv"]] {
            let refused = try Program.run(arguments, in: folder)
            #expect(refused.status == 64 && refused.messages.contains("path of the run's folder is missing"))
        }
        #expect(try folder.contents().isEmpty)
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let folder = try WorkFolder()
        let wider = try Network(.multilayerPerceptron(dims: [64, 9, 10]))
        try SafeTensors.write(wider.initialParameters(seed: 1), to: folder.path("wider.safetensors"))
        let wrong: [(options: [String], says: [String])] = [
            (["--init", "wider.safetensors"], ["dense1.kernel", "[64, 9]", "[64, 8]"]),
            (["--init", "none.safetensors"], ["none.safetensors"]),
            (["--freeze", "dense3"], ["'dense3'", "did you mean 'dense"]),
            (["--freeze", "dense1", "--freeze", "dense2"], ["nothing is left to train"]),
        ]
        for (options, says) in wrong {
            let outcome = try Program.run(Self.options + options + ["--output", "RUN"], in: folder)
            #expect(outcome.status == (options.contains("wider.safetensors") ? 1 : 64))
            for part in says { #expect(outcome.messages.contains(part), "\(outcome.messages)") }
            #expect(try !folder.names(in: ".").contains("RUN"))
        }
    }
}

extension WorkFolder {
    fileprivate func path(_ name: String) -> String { url.appending(path: name).path }
}
