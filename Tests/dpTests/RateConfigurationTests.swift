import Foundation
import Testing

@Suite struct RateConfigurationTests {
    private func model(_ rate: String) throws -> Data {
        let folder = try WorkFolder()
        let text = SeededRun(iterations: 12).configuration
        let plain = #"{"kind": "cosine", "value": 0.02}"#
        try #require(text.contains(plain))
        try folder.write(text.replacing(plain, with: rate), to: "c.json")
        let outcome = try Program.run(
            ["train", "--config", "c.json", "--output", "RUN", "--threads", "1", "--format", "json"], in: folder)
        #expect(outcome.status == 0, "\(outcome.complaints)")
        return try folder.data("RUN/model.safetensors")
    }

    /// A cosine ends at a share of its largest rate, and no share of 0 is above it.
    @Test(arguments: ["cosine", "warmup-cosine"]) func aCosineDoesNotRiseFromZero(_ kind: String) throws {
        let folder = try WorkFolder()
        let plain = #"{"kind": "cosine", "value": 0.02}"#
        let rate = #"{"kind": "\#(kind)", "value": 0, "final": 0.5}"#
        try folder.write(SeededRun(iterations: 12).configuration.replacing(plain, with: rate), to: "c.json")
        let outcome = try Program.run(["train", "--config", "c.json", "--output", "RUN"], in: folder)
        #expect(outcome.status != 0 && outcome.output.isEmpty && !folder.has("RUN"))
        #expect(outcome.messages.contains("learningRate.value"), "\(outcome.messages)")
    }

    @Test func aWarmUpOfNoStepsIsAPlainCosine() throws {
        let plain = try model(#"{"kind": "cosine", "value": 0.02}"#)
        #expect(try model(#"{"kind": "warmup-cosine", "value": 0.02, "warmupSteps": 0}"#) == plain)
        #expect(try model(#"{"kind": "warmup-cosine", "value": 0.02}"#) == plain)
        // Control: a warm-up of some steps is another rate.
        #expect(try model(#"{"kind": "warmup-cosine", "value": 0.02, "warmupSteps": 4}"#) != plain)
    }
}
