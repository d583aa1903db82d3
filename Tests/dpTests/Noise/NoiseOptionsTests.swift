import Foundation
import Testing

@testable import dp

/// `--noise`, `--strategy` and `--strategies` of `dp plan` and `dp train`.
@Suite struct NoiseOptionsTests {
    private static let plan = #"""
        "sampling": {"kind": "shuffled-epochs", "exampleCount": 100, "batchSize": 10, "keepsOrder": true},
        "iterations": 20, "epsilon": 2, "delta": 1e-5, "relation": "replace-one", "accountant": "rdp",
        "clipping": {"method": "threshold", "l2ClipNorm": 1}
        """#

    private static let poisson = #"""
        "exampleCount": 100, "expectedBatchSize": 10, "iterations": 20, "epsilon": 2, "delta": 1e-5,
        "accountant": "rdp", "clipping": {"method": "threshold", "l2ClipNorm": 1}
        """#

    /// An option says the same as a file; what was fitted is kept, and taken from there.
    @Test func optionsSayWhatFilesDo() throws {
        let folder = try WorkFolder()
        try folder.write("{\(Self.plan)}", to: "plan.json")
        try folder.write(
            #"{\#(Self.plan), "noise": {"kind": "correlated", "strategy": {"kind": "blt", "buffers": 1}}}"#,
            to: "correlated.json")
        func report(_ arguments: String) throws -> (output: String, strategy: [String: Any]) {
            let run = try Program.run(
                ["plan"] + arguments.split(separator: " ").map(String.init) + ["--format", "json"], in: folder)
            #expect(run.status == 0, "\(run.messages)")
            return (run.output, try #require(try run.json()["strategy"] as? [String: Any], "\(run.output)"))
        }
        let (output, strategy) = try report("correlated.json")
        #expect(strategy["kind"] as? String == "blt" && strategy["participations"] as? Double == 2)
        #expect(try report("plan.json --strategy blt:1 --strategies s.json").output == output)
        #expect(try report("plan.json --strategy blt:1 --noise correlated --strategies s.json").output == output)
        // The file's own strategy stays.
        #expect(try report("correlated.json --noise correlated").output == output)
        let kept = try folder.object("s.json")
        #expect((kept["entries"] as? [Any])?.count == 1)
        // Another one is another plan, and independent noise has no strategy.
        #expect(try report("correlated.json --strategy banded-inverse:2").strategy["kind"] as? String != "blt")
        let plain = try Program.run(
            ["plan", "correlated.json", "--noise", "discreteGaussian", "--format", "json"], in: folder)
        let independent = try plain.json()["strategy"]
        #expect(plain.status == 0 && !(independent is [String: Any]))
        // Noise that was calibrated for another strategy is given up, where there is a budget.
        try folder.write(#"{\#(Self.plan), "noiseMultiplier": 50}"#, to: "calibrated.json")
        #expect(try report("calibrated.json --strategy blt:1").output == output)
        let text = try Program.run(["plan", "correlated.json"], in: folder).output
        for part in ["blt, no bands, 20 steps", "2 participations", "on average", "bytes for each parameter"] {
            #expect(text.contains(part), "\(text)")
        }
    }

    /// Wrong combinations are told in the words of what refuses them.
    @Test(arguments: [
        (64, "plan.json --noise correlated", ["--strategy is missing", "banded-toeplitz:BANDS"]),
        (64, "plan.json --noise discreteGaussian --strategy blt", ["--noise is discreteGaussian", "leave one"]),
        (64, "plan.json --strategy bltt", ["--strategy is 'bltt'", "Did you mean 'blt'?"]),
        (64, "plan.json --strategy banded-inverse", ["--strategy is 'banded-inverse'", "banded-inverse:TERMS"]),
        (64, "plan.json --strategy blt:99", ["--strategy does not fit: buffers is 99", "1...10"]),
        (1, "poisson.json --strategy blt", ["There is no analysis of noise that is correlated", "cyclic-poisson"]),
        (1, "plan.json --strategy blt --strategies bad.json", ["'bad.json' cannot be read"]),
        (64, "both.json", ["no setting of banded-toeplitz: did you mean 'bands'?", "is 2, but must be in [0, 1)"]),
        (64, "half.json", ["'half.json' cannot be read: at 'noise.strategy': 'bands' is missing."]),
        (64, "mixed.json", ["noise.strategy", "nown are coefficients, kind, steps"]),
        (1, "short.json", ["20 steps with a strategy for 3", "one that restarts"]),
    ])
    func wrongCombinationsAreRefused(_ status: Int, _ arguments: String, _ says: [String]) throws {
        let folder = try WorkFolder()
        func write(_ strategy: String, _ more: String = "", to name: String) throws {
            try folder.write(
                #"{\#(Self.plan), "noise": {"kind": "correlated", "strategy": \#(strategy)\#(more)}}"#, to: name)
        }
        try folder.write("{\(Self.plan)}", to: "plan.json")
        try folder.write("{\(Self.poisson)}", to: "poisson.json")
        try folder.write("{", to: "bad.json")
        try write(
            #"{"kind": "banded-toeplitz", "bandz": 2}"#, #", "workload": {"momentum": 2}"#, to: "both.json")
        try write(#"{"kind": "banded-toeplitz"}"#, to: "half.json")
        try write(#"{"kind": "banded-toeplitz", "bands": 2, "coefficients": [1], "steps": 3}"#, to: "mixed.json")
        try write(#"{"kind": "banded-toeplitz", "coefficients": [1, 0.5], "steps": 3}"#, to: "short.json")
        let run = try Program.run(["plan"] + arguments.split(separator: " ").map(String.init), in: folder)
        #expect(run.status == Int32(status) && run.output.isEmpty, "\(run.output)")
        for part in says { #expect(run.messages.contains(part), "\(run.messages)") }
        // No dump of an error of Swift.
        #expect(run.messages.firstMatch(of: /DecodingError|\w\(\w+:|Optional\(/) == nil, "\(run.messages)")
    }

    /// A run whose noise is correlated says so before and after, and goes on from its own configuration.
    @Test func trainingSaysWhatItDoes() throws {
        let folder = try WorkFolder()
        let arguments = [
            "train", "--demo", "--noise-multiplier", "5", "--iterations", "6", "--batch", "200", "--strategy", "blt:2",
            "--strategies", "s.json", "--output", "RUN",
        ]
        let run = try Program.run(arguments, in: folder)
        #expect(run.status == 0, "\(run.messages)")
        for part in [
            "Noise is correlated over steps:", "blt, no bands, 6 steps", "16 bytes for each parameter, 10400 bytes",
            "balls-in-bins, epochs of 7 steps", "strategy              blt",
        ] {
            #expect(run.output.contains(part), "\(run.output)")
        }
        #expect(folder.has("s.json"))
        let plan = try #require(try folder.object("RUN/config.json")["plan"] as? [String: Any])
        let strategy = (plan["noise"] as? [String: Any])?["strategy"] as? [String: Any]
        #expect(strategy?["steps"] as? Double == 6 && (strategy?["decays"] as? [Any])?.count == 2)
        let again = try Program.run(["plan", "RUN/config.json"], in: folder)
        #expect(again.status == 0 && again.output.contains("blt, no bands, 6 steps"), "\(again.messages)")
    }

    /// A scale that stays as long as the strategy does is not refused; one that changes within it is.
    @Test func aScaleMayChangeWhereTheStrategyRestarts() throws {
        let folder = try WorkFolder()
        func train(refreshEvery: Int) throws -> Program.Outcome {
            try folder.write(
                """
                {"data": {"kind": "digits"}, "model": "softmax",
                 "optimizer": {"name": "adam", "learningRate": 0.01,
                  "scaleThenPrivatize": {"refreshEvery": \(refreshEvery)}},
                 "plan": {"noiseMultiplier": 5, "delta": 1e-5, "iterations": 6, "expectedBatchSize": 200,
                  "noise": {"kind": "correlated", "strategy": {"kind": "blt", "buffers": 1}, "restartEvery": 3}}}
                """, to: "restarts.json")
            return try Program.run(["train", "--config", "restarts.json"], in: folder)
        }
        let fits = try train(refreshEvery: 3)
        #expect(fits.status == 0, "\(fits.messages)")
        #expect(fits.output.contains("blt, no bands, 3 steps, and then anew"))
        let breaks = try train(refreshEvery: 2)
        #expect(
            breaks.status == 64 && breaks.messages.contains("does not fit: Correlated noise needs the same transform"))
    }

    @Test func aChangingTransformIsRefused() throws {
        let folder = try WorkFolder()
        let run = try Program.run(
            [
                "train", "--demo", "--noise-multiplier", "5", "--iterations", "6", "--strategy", "blt:1", "--optimizer",
                "adam", "--scale-then-privatize", "--output", "RUN",
            ], in: folder)
        #expect(run.status == 64 && !folder.has("RUN"))
        #expect(run.messages.contains("--scale-then-privatize does not fit: Correlated noise needs the same transform"))
    }
}
