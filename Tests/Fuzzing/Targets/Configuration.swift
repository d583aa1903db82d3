import CommandLineSupport
import Foundation
import Networks
import PrivateTraining

@testable import dp

extension FuzzTarget {
    /// The configuration of a run, as `dp train --config` reads it: what was read comes back the same.
    static let configuration = FuzzTarget(
        name: "configuration",
        seeds: {
            let plan = ["epsilon": 2, "delta": 1e-6, "epochs": 1]
            return try FormatSeeds.variations(
                of: Formats.configuration, on: ["data": ["kind": "digits"], "plan": plan])
        }
    ) { bytes in
        let settings = try Settings(file: ScratchFile.holding(bytes)) { _ in Formats.configuration }
        let configuration: TrainingConfiguration = try settings.decoded(as: Formats.configuration)
        let text = try JSONEncoder.exact.encode(configuration)
        let again = try JSONDecoder.exact.decode(TrainingConfiguration.self, from: text)
        expect(
            again == configuration, "A configuration is written as another: \(String(decoding: text, as: UTF8.self))")
    }

    /// A plan, as `dp plan` reads it: what was read comes back the same, and small ones are planned.
    static let plan = FuzzTarget(
        name: "plan",
        seeds: {
            let few: [String: Any] = [
                "noiseMultiplier": 1, "delta": 1e-5, "iterations": 5, "accountant": "rdp", "exampleCount": 1000,
                "expectedBatchSize": 50, "clipping": ["method": "threshold", "l2ClipNorm": 1],
            ]
            let drawn = few.filter { !["exampleCount", "expectedBatchSize"].contains($0.key) }
            let samplers = try FormatSeeds.objects(of: Formats.sampling).map { sampler in
                let sampler = try JSONSerialization.jsonObject(with: Data(sampler))
                let keys: [String: Any] = ["sampling": sampler, "relation": "replace-special"]
                return try [UInt8](
                    JSONSerialization.data(withJSONObject: drawn.merging(keys) { $1 }, options: .sortedKeys))
            }
            return try FormatSeeds.variations(of: Formats.plan, on: few) + samplers
        }
    ) { bytes in
        let settings = try Settings(file: ScratchFile.holding(bytes)) { _ in Formats.plan }
        let request: PlanRequest = try settings.decoded(as: Formats.plan)
        let text = try JSONEncoder.exact.encode(request)
        let again = try JSONDecoder.exact.decode(PlanRequest.self, from: text)
        expect(again == request, "A request is written as another: \(String(decoding: text, as: UTF8.self))")
        // Calibration and fits take what they take: seconds for many steps, and nothing that an input could break.
        guard request.noiseMultiplier != nil, request.accountant == .rdp, request.noise == nil else { return }
        do {
            _ = try request.plan()
        } catch {
            throw settings.usage(for: error) ?? error
        }
    }

    /// The layers of a model, as `dp train --model FILE.json` reads them, and the network that is made of them.
    static let architecture = FuzzTarget(
        name: "architecture",
        seeds: {
            let layers = try FormatSeeds.objects(of: Formats.layer).map {
                try JSONSerialization.jsonObject(with: Data($0))
            }
            let inputs: [[String: Int]] = [
                ["features": 64], ["height": 8, "width": 8, "channels": 1], ["positions": 6, "width": 8],
                ["length": 6, "vocabulary": 12],
            ]
            let dense: [String: Any] = ["kind": "dense", "outputs": 2, "activation": "identity"]
            return try layers.flatMap { layer in
                try inputs.map { input in
                    let object: [String: Any] = [
                        "input": input, "layers": [layer, dense], "loss": "softmaxCrossEntropy",
                    ]
                    return try [UInt8](JSONSerialization.data(withJSONObject: object, options: .sortedKeys))
                }
            }
        }
    ) { bytes in
        let architecture = try roundTrip(NetworkArchitecture.self, bytes)
        _ = architecture.summary
        if isModest(bytes, limit: 1000) { _ = try Network(architecture) }
    }

    /// `model.json` of a run, as `dp evaluate` and `dp predict` read it.
    static let model = FuzzTarget(
        name: "model",
        seeds: {
            let base: [String: Any] = [
                "architecture": ["input": ["features": 4], "layers": [Int](), "loss": "softmaxCrossEntropy"]
            ]
            return try FormatSeeds.variations(of: Formats.model, on: base)
        }
    ) { bytes in
        let model = try JSONDecoder().decode(RunFolder.Model.self, from: Data(bytes))
        let text = try JSONEncoder().encode(model)
        let again = try JSONEncoder().encode(try JSONDecoder().decode(RunFolder.Model.self, from: text))
        expect(text.count == again.count, "A model is written as another: \(String(decoding: text, as: UTF8.self))")
    }
}
