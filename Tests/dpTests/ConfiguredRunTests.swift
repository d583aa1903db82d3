import Foundation
import Testing

/// Options beside a configuration: what they replace, and what goes with it.
@Suite struct ConfiguredRunTests {
    private func finished(_ arguments: [String], in folder: WorkFolder) throws -> [String: Any] {
        let run = try Program.run(["train"] + arguments, in: folder)
        try #require(run.status == 0, "\(run.messages)")
        return try folder.object("\(try #require(arguments.last))/config.json")
    }

    private func value(_ object: [String: Any], _ path: String) -> Any? {
        path.split(separator: ".").reduce(object as Any?) { ($0 as? [String: Any])?[String($1)] }
    }

    /// Another number of steps, batch or δ costs what the budget allows, and not what the old noise happens to cost.
    @Test func aWrittenPlanIsCalibratedAgain() throws {
        let folder = try WorkFolder()
        let first = try finished(["--demo", "--iterations", "20", "--output", "A"], in: folder)
        let z = try #require(value(first, "plan.noiseMultiplier") as? Double)
        for options in [["--iterations", "5"], ["--batch", "100"], ["--delta", "1e-7"], ["--epsilon", "2"]] {
            let name = "B" + options[0]
            let second = try finished(["--config", "A/config.json"] + options + ["--output", name], in: folder)
            #expect(try #require(value(second, "plan.noiseMultiplier") as? Double) != z)
            let spent = try #require(try folder.object("\(name)/result.json")["epsilon"] as? Double)
            let budget = options == ["--epsilon", "2"] ? 2.0 : 4
            #expect(spent <= budget && spent > 0.99 * budget)
        }
        // The same again, where nothing of the plan is said.
        let same = try finished(["--config", "A/config.json", "--learning-rate", "0.1", "--output", "C"], in: folder)
        #expect(value(same, "plan.noiseMultiplier") as? Double == z)
    }

    @Test func anotherOptimizerHasARateOfItsOwn() throws {
        let folder = try WorkFolder()
        let first = try finished(["--demo", "--iterations", "5", "--output", "A"], in: folder)
        let adam = try finished(["--config", "A/config.json", "--optimizer", "adam", "--output", "B"], in: folder)
        #expect(value(adam, "optimizer.name") as? String == "adam" && value(adam, "optimizer.momentum") == nil)
        let rate = try #require(value(first, "optimizer.learningRate") as? Double)
        #expect(try #require(value(adam, "optimizer.learningRate") as? Double) < rate)
        // The same optimizer, named once more, keeps its numbers.
        let sgd = try finished(["--config", "A/config.json", "--optimizer", "sgd", "--output", "C"], in: folder)
        #expect(value(sgd, "optimizer.learningRate") as? Double == rate)
    }

    /// Adafactor, with its own numbers, as it is and under its factored moment; a number that it has not is refused.
    @Test func adafactorTrains() throws {
        let folder = try WorkFolder()
        func configuration(_ optimizer: String) -> String {
            #"""
            {"data": {"kind": "digits"}, "plan": {"epsilon": 2, "delta": 1e-5, "iterations": 5},
             "optimizer": \#(optimizer)}
            """#
        }
        var weights: [Data] = []
        for scaling in ["", #", "scaleThenPrivatize": {"epsilon": 0.01}"#] {
            let name = scaling.isEmpty ? "plain" : "scaled"
            try folder.write(
                configuration(
                    #"{"name": "adafactor", "minimumFactoredSide": 8, "clippingThreshold": 0.5, "momentum": 0.5"#
                        + #", "multiplyByParameterScale": false, "decay": 0.7\#(scaling)}"#), to: "\(name).json")
            let run = try finished(["--config", "\(name).json", "--output", name], in: folder)
            #expect(value(run, "optimizer.minimumFactoredSide") as? Int == 8)
            weights.append(try folder.data("\(name)/model.safetensors"))
        }
        #expect(weights[0] != weights[1])
        try folder.write(configuration(#"{"name": "adafactor", "beta1": 0.9}"#), to: "wrong.json")
        let run = try Program.run(["train", "--config", "wrong.json", "--output", "wrong"], in: folder)
        #expect(run.status != 0 && run.messages.contains("beta1' in 'wrong.json' is no setting of adafactor"))
    }

    /// A clip norm is a number of the method that the configuration has.
    @Test func theClippingMethodIsKept() throws {
        let folder = try WorkFolder()
        try folder.write(
            #"""
            {"data": {"kind": "digits"}, "plan": {"epsilon": 1, "delta": 1e-5, "iterations": 3,
             "clipping": {"method": "threshold", "l2ClipNorm": 1, "rescaleToUnitNorm": true}}}
            """#, to: "c.json")
        let run = try finished(["--config", "c.json", "--clip", "2", "--output", "A"], in: folder)
        #expect(value(run, "plan.clipping.l2ClipNorm") as? Double == 2)
        #expect(value(run, "plan.clipping.rescaleToUnitNorm") as? Bool == true)
    }

    /// Null says as much as no key.
    @Test func nullIsAbsent() throws {
        let folder = try WorkFolder()
        try folder.write(
            #"""
            {"data": {"kind": "digits"}, "plan": {"epsilon": 1, "delta": 1e-5, "epochs": null, "accountant": null,
             "iterations": 3}, "features": null}
            """#, to: "c.json")
        let run = try finished(["--config", "c.json", "--output", "A"], in: folder)
        #expect(value(run, "plan.iterations") as? Int == 3)
    }

    /// A schema's mistakes are told all at once, with their places.
    @Test func aSchemasMistakesAreToldAtOnce() throws {
        let folder = try WorkFolder()
        try folder.write("a,b\n1,2\n", to: "d.csv")
        try folder.write(
            #"""
            {"hasHeaders": true, "columns": [{"name": "a", "kind": "numerik"}, {"name": "b", "kind": "numeric",
             "lower": "low"}, {"kind": "label", "classes": [1, 2]}]}
            """#, to: "s.json")
        let run = try Program.run(
            ["train", "--data", "d.csv", "--schema", "s.json", "--epsilon", "1", "--delta", "1e-3"], in: folder)
        #expect(run.status == 64)
        for says in [
            "'hasHeaders' in 's.json'", "did you mean 'hasHeader'", "'columns.0.kind' in 's.json' is 'numerik'",
            "'columns.1.lower' in 's.json' is 'low'", "'columns.2.name' in 's.json' is missing",
            "'columns.2.classes.0' in 's.json' is 1",
        ] {
            #expect(run.messages.contains(says), "\(run.messages)")
        }
    }
}
