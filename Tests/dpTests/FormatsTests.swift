import Foundation
import GradientTransformations
import PrivacyMechanisms
import PrivateTraining
import Testing

@testable import dp

/// What `dp help formats` says of files is what their decoders read: neither more nor less.
@Suite struct FormatsTests {
    /// A group with a file's type, and where in such a file an object of the group stands.
    struct Place: Sendable, CustomTestStringConvertible {
        let group: SettingGroup
        /// The choice of its kind; nil where it has none.
        let kind: String?
        /// Where objects of the kind have one of two forms, the one that is meant.
        var form: Form?
        let decode: @Sendable (Data) throws -> Void
        var testDescription: String {
            group.name + (kind.map { ": \($0)" } ?? "") + (form.map { ", \($0.name)" } ?? "")
        }

        /// Some of a kind's keys, which cannot stand beside others.
        struct Form: Sendable {
            let name: String
            let keys: Set<String>
            /// Those of them that the form needs although the kind does not.
            let needed: Set<String>
            /// Examples in the place of the group's, as JSON.
            var examples: [String: String] = [:]
        }

        /// An object with every key of the group, each with its example.
        var object: [String: Any] {
            var object: [String: Any] = [:]
            for setting in settings { object[setting.key] = example(setting) }
            if let kinds = group.kinds { object[kinds.key] = kind }
            return object
        }

        var settings: [Setting] {
            group.settings(ofKind: kind).filter { form?.keys.contains($0.key) ?? true }
        }
        var keys: Set<String> { Set(settings.map(\.key) + (group.kinds.map { [$0.key] } ?? [])) }

        func example(_ setting: Setting) -> Any {
            let text = form?.examples[setting.key] ?? setting.example
            return (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? "?"
        }

        func isNeeded(_ setting: Setting) -> Bool {
            setting.absent == nil || form?.needed.contains(setting.key) == true
        }

        func read(_ object: [String: Any]) throws {
            try decode(JSONSerialization.data(withJSONObject: object))
        }
    }

    private static func places<Value: Decodable & Sendable>(_ group: SettingGroup, _: Value.Type) -> [Place] {
        let kinds: [String?] = group.kinds?.choices.map(\.name) ?? [nil]
        return kinds.map { kind in
            Place(group: group, kind: kind) { _ = try JSONDecoder.exact.decode(Value.self, from: $0) }
        }
    }

    /// Strategies that are to be fitted, and those with all of their numbers.
    private static let strategies: [Place] = (Formats.strategy.kinds?.choices ?? []).flatMap { kind in
        let asked: Set<String> = ["bands", "terms", "gamma", "buffers"]
        let keys = Set(kind.settings.map(\.key))
        let request = Place.Form(
            name: "request", keys: keys.intersection(asked), needed: keys.intersection(["bands", "terms"]))
        let whole = Place.Form(name: "whole", keys: keys.subtracting(asked), needed: keys.subtracting(asked))
        return [
            Place(group: Formats.strategy, kind: kind.name, form: request) {
                _ = try JSONDecoder.exact.decode(StrategyRequest.self, from: $0)
            },
            Place(group: Formats.strategy, kind: kind.name, form: whole) {
                _ = try JSONDecoder.exact.decode(CorrelationStrategy.self, from: $0)
            },
        ]
    }

    /// Noise mechanisms; correlated noise with a strategy of either form.
    private static let noise: [Place] = (Formats.noise.kinds?.choices ?? []).flatMap { kind in
        let forms: [Place.Form?] =
            kind.name == NoiseScheme.correlatedKind
            ? [
                Place.Form(
                    name: "request", keys: ["strategy", "workload", "objective", "restartEvery"], needed: []),
                Place.Form(
                    name: "whole", keys: ["strategy", "restarts"], needed: [],
                    examples: ["strategy": #"{"kind": "identity", "steps": 3}"#]),
            ] : [nil]
        return forms.map { form in
            Place(group: Formats.noise, kind: kind.name, form: form) {
                _ = try JSONDecoder.exact.decode(PlannedNoise.self, from: $0)
            }
        }
    }

    static let places: [Place] =
        places(Formats.configuration, TrainingConfiguration.self) + places(Formats.data, DataConfiguration.self)
        + places(Formats.users, UserConfiguration.self)
        + places(Formats.augmentation, ImageAugmentation.self)
        + places(Formats.features, FeatureConfiguration.self) + places(Formats.optimizer, OptimizerConfiguration.self)
        + places(Formats.learningRate, RateConfiguration.self)
        + places(Formats.scaling, OptimizerConfiguration.Scaling.self)
        + places(Formats.averaging, ParameterAveraging.self) + places(Formats.plan, PlanRequest.self)
        + places(Formats.clipping, PlannedClipping.self) + places(Formats.sampling, SamplingScheme.self)
        + places(Formats.mapping, WeightMapping.self) + places(Formats.rule, WeightMapping.Rule.self)
        + places(Formats.normalization, PrivateNormalization.self)
        + places(Formats.channelNormalization, ChannelNormalization.self)
        + noise + strategies + places(Formats.workload, StrategyWorkload.self)
        + places(Formats.schema, CSVSchema.self)
        + places(Formats.column, CSVSchema.Column.self) + places(Formats.model, RunFolder.Model.self)
        + places(Formats.textFormat, TextFormat.self) + places(Formats.vocabulary, Vocabulary.self)
        + places(Formats.architecture, NetworkArchitecture.self)
        + places(Formats.input, NetworkArchitecture.Input.self) + places(Formats.layer, NetworkArchitecture.Layer.self)

    /// The suite looks at every group that the help prints.
    @Test func everyGroupIsLookedAt() {
        let looked = Set(Self.places.map(\.group.name))
        #expect(Set(Formats.groups.map(\.name)) == looked)
    }

    /// Each documented key can stand in a file: alone beside those that must, and all of them at once.
    @Test(arguments: places) func documentedKeysDecode(_ place: Place) throws {
        // Of a vector, an image and a sequence, one at a time; and of the two ways to say how users are drawn.
        let isInput = place.group.name == "input"
        let (probability, base) = ("samplingProbability", "base")
        let drawsUsers = place.kind == "user"
        if !isInput { try place.read(place.object.filter { !drawsUsers || $0.key != base }) }
        let needed = place.object.filter { key, _ in
            key == place.group.kinds?.key || place.settings.contains { $0.key == key && place.isNeeded($0) }
                || drawsUsers && key == probability
        }
        if !isInput { try place.read(needed) }
        for setting in place.settings where !isInput {
            var object = needed
            if drawsUsers, setting.key == base { object[probability] = nil }
            object[setting.key] = place.example(setting)
            try place.read(object)
            // What has no default must be there.
            object[setting.key] = nil
            if place.isNeeded(setting) { #expect(throws: (any Error).self) { try place.read(object) } }
        }
        if isInput {
            try place.read(["features": 64])
            try place.read(["height": 28, "width": 28, "channels": 1])
            try place.read(["positions": 20, "width": 8])
        }
        let document = try JSONDecoder.exact.decode(
            JSONValue.self, from: JSONSerialization.data(withJSONObject: place.object))
        #expect(place.group.problems(with: document).isEmpty)
    }

    /// Each key that a decoder knows is documented: asked with a key that nobody knows, it lists those that it does.
    @Test(arguments: places) func decodedKeysAreDocumented(_ place: Place) throws {
        var object = place.object
        object["?"] = 1
        if place.group.name == "input" { object = ["?": 1] }
        let error = try #require(throws: DecodingError.self) { try place.read(object) }
        guard case .dataCorrupted(let context) = error else {
            Issue.record("\(error)")
            return
        }
        let known = try #require(context.debugDescription.firstMatch(of: /nown are (.*)\./)).1
        let names = Set(known.split(separator: ", ").map(String.init))
        // Some decoders know the keys of all kinds, and the check of the group refuses those of others.
        let ofAllKinds = place.group.kinds?.choices.flatMap(\.settings).map(\.key) ?? []
        #expect(names.isSuperset(of: place.keys) && names.isSubset(of: place.keys.union(ofAllKinds)))
        let value = JSONValue.object(["?": .integer(1)])
        #expect(place.group.kinds != nil || place.group.problems(with: value).contains { $0.path == ["?"] })
    }

    /// The kinds that are documented are those that there are.
    @Test func theKindsAreThoseOfTheRegistries() {
        func kinds(_ group: SettingGroup) -> Set<String> { Set(group.kinds?.choices.map(\.name) ?? []) }
        #expect(kinds(Formats.sampling) == Set(SamplingScheme.samplers.map { $0.kind }))
        #expect(kinds(Formats.noise) == Set(NoiseScheme.mechanisms.map { $0.kind }))
        #expect(kinds(Formats.strategy) == Set(CorrelationStrategy.strategies.map { $0.kind }))
        #expect(kinds(Formats.clipping) == Set(ClippingRule.methods.map { $0.name }))
        #expect(kinds(Formats.data) == Set(DataConfiguration.Kind.allCases.map(\.rawValue)))
        #expect(kinds(Formats.learningRate) == Set(RateConfiguration.Kind.allCases.map(\.rawValue)))
        #expect(kinds(Formats.optimizer) == Set(NamedOptimizer.table.map(\.name)))
    }

    /// A number out of the documented range is refused before anything is decoded; a type that does not fit, too.
    @Test func rangesAndTypesAreChecked() throws {
        let wrong: [(String, String, String)] = [
            (#"{"delta": 1}"#, "delta", "in [0, 1)"), (#"{"epsilon": "much"}"#, "epsilon", "a number"),
            (#"{"iterations": 1.5}"#, "iterations", "a whole number"), (#"{"epochs": -1}"#, "epochs", "at least 0"),
            (
                #"{"clipping": {"method": "threshold", "l2ClipNorm": {"a": 1, "b": {"c": 0}}}}"#,
                "clipping.l2ClipNorm.b.c", "1e-100"
            ),
            (#"{"clipping": 1}"#, "clipping", "an object"),
            (
                #"{"sampling": {"kind": "user", "owners": [0, 0.5], "userCount": 1, "samplingProbability": 1}}"#,
                "sampling.owners.1", "a whole number"
            ),
            (#"{"sampling": {"kind": "poison"}}"#, "sampling.kind", "Did you mean 'poisson'?"),
            (#"{"sampling": {}}"#, "sampling.kind", "is missing"),
            (#"{"relation": "replace one"}"#, "relation", "Did you mean 'replace-one'?"),
        ]
        for (text, path, says) in wrong {
            let value = try JSONDecoder.exact.decode(JSONValue.self, from: Data(text.utf8))
            let problems = Formats.plan.problems(with: value)
            #expect(problems.count == 1, "\(text): \(problems)")
            #expect(problems.first?.path.joined(separator: ".") == path)
            #expect(problems.first?.text.contains(says) == true, "\(problems)")
        }
        // All of them at once.
        let all = #"{"delta": 1, "epsilon": -1, "iterations": 1.5, "acountant": "pld", "unit": "users"}"#
        let value = try JSONDecoder.exact.decode(JSONValue.self, from: Data(all.utf8))
        #expect(Formats.plan.problems(with: value).count == 5)
    }

    @Test func theHelpNamesEveryKey() throws {
        let folder = try WorkFolder()
        let outcome = try Program.run(["help", "formats"], in: folder)
        #expect(outcome.status == 0)
        for place in Self.places {
            for key in place.keys { #expect(outcome.output.contains(key)) }
        }
        #expect(outcome.output == (try Program.run(["formats"], in: folder)).output)
        #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 100 || !$0.contains("  ") })
    }
}
