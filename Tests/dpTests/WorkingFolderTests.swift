import Foundation
import Testing

/// A run does not depend on the folder in which it is resumed, evaluated or used.
@Suite struct WorkingFolderTests {
    @Test func anInterruptedRunGoesOnFromAnotherFolder() throws {
        let folder = try WorkFolder()
        try folder.write(ClientsCSV.text(0..<600), to: "data/train.csv")
        try folder.write(ClientsCSV.text(600..<800), to: "data/test.csv")
        try folder.write(ClientsCSV.schema(), to: "schema.json")
        let configuration = """
            {"data": {"kind": "csv", "path": "data/train.csv", "testPath": "./data/test.csv", "schema": "schema.json"},
             "model": "logistic", "optimizer": {"name": "sgd", "learningRate": 1},
             "plan": {"expectedBatchSize": 60, "iterations": 220, "noiseMultiplier": 1, "delta": 1e-5,
                      "clipping": {"method": "threshold", "l2ClipNorm": 1}}, "evaluationInterval": 1}
            """
        try folder.write(configuration, to: "configuration.json")
        let arguments = ["train", "--config", "configuration.json", "--output", "RUN", "--threads", "1"]
        let running = try RunningProgram(arguments, in: folder)
        try running.wait(forStep: 3)
        running.send(SIGTERM)
        _ = try running.finish()

        let elsewhere = try WorkFolder()
        // Files of the same names there are not those of the run.
        try elsewhere.write("x\n1\n", to: "data/train.csv")
        let run = folder.url.appending(path: "RUN").path
        let resumed = try Program.run(
            ["train", "--resume", "--output", run, "--threads", "1", "--format", "json"], in: elsewhere)
        #expect(resumed.status == 0, "\(resumed.complaints)")
        #expect(try resumed.json()["isFinished"] as? Bool == true)
        #expect(try resumed.json()["testAccuracy"] is Double)
        let test = folder.url.appending(path: "data/train.csv").path
        let evaluated = try Program.run(
            ["evaluate", "--run", run, "--data", test, "--format", "json"], in: elsewhere)
        #expect(try evaluated.json()["isOfTrainingData"] as? Bool == true)
        // What the user wrote is relative to the folder where it is given, and stays as it was.
        #expect(try folder.text("configuration.json") == configuration)
        let again = try Program.run(["train", "--config", folder.url.path + "/configuration.json"], in: elsewhere)
        #expect(again.status == 64 && again.complaints.joined().contains("no such file or folder"))
    }
}
