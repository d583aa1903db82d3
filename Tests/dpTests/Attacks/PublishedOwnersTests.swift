import Foundation
import Testing

/// Attack: learn who owns which example from the files of a run that are made to be shown.
@Suite struct PublishedOwnersTests {
    /// 1,437 examples of 479 users, in an order that nobody would write by chance.
    private static let owners = (0..<1437).map { ($0 * 331) % 479 }

    private static func configuration(iterations: Int) -> String {
        """
        {"data": {"kind": "digits"}, "model": "softmax", "optimizer": {"name": "sgd", "learningRate": 1},
         "plan": {"sampling": {"kind": "user", "owners": \(owners), "userCount": 479, "samplingProbability": 0.1},
                  "iterations": \(iterations), "noiseMultiplier": 1, "delta": 1e-5, "unit": "user",
                  "clipping": {"method": "threshold", "l2ClipNorm": 1}},
         "evaluationInterval": 1, "checkpointInterval": 5, "nonPrivateSeed": 3}
        """
    }

    private static let training = [
        "train", "--config", "config.json", "--output", "RUN", "--threads", "1", "--format", "json",
    ]

    /// What is kept from others: these folders of a run, which its page and its documentation name.
    private static let secret = ["secret", "checkpoints"]

    /// Whether a text has eight owners in a row, however it is spaced.
    private static func tells(_ text: String) -> Bool {
        let dense = text.filter { !$0.isWhitespace }
        return stride(from: 0, to: owners.count - 8, by: 8).contains { begin in
            dense.contains(owners[begin..<begin + 8].map(String.init).joined(separator: ","))
        }
    }

    private func published(_ folder: WorkFolder) throws -> [String: Data] {
        try folder.contents(of: "RUN").filter { path, _ in
            !Self.secret.contains { path == $0 || path.hasPrefix($0 + "/") }
        }
    }

    @Test func noFileThatIsShownTellsTheOwners() throws {
        let folder = try WorkFolder()
        try folder.write(Self.configuration(iterations: 8), to: "config.json")
        let trained = try Program.run(Self.training, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let published = try published(folder)
        #expect(published.keys.contains("config.json") && published.keys.contains("index.html"))
        for (path, data) in published {
            let text = String(decoding: data, as: UTF8.self)
            #expect(!Self.tells(text) && !text.contains("\"owners\""), "\(path)")
        }
        #expect(!Self.tells(trained.output) && !Self.tells(trained.messages))
        // Control: the test can see owners where they are.
        #expect(Self.tells(try folder.text("config.json")))
        #expect(Self.tells(try folder.text("RUN/secret/sampling.json")))
        // The page says what must not be published.
        let page = try folder.text("RUN/index.html")
        #expect(page.contains("<code>secret</code>") && page.contains("<code>checkpoints</code>"))
    }

    @Test func theSecretIsTheOwnersAlone() throws {
        let folder = try WorkFolder()
        try folder.write(Self.configuration(iterations: 2), to: "config.json")
        #expect(try Program.run(Self.training, in: folder).status == 0)
        func mode(_ name: String) throws -> Int? {
            let path = folder.url.appending(path: name).path
            return try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode("RUN/secret") == 0o700)
        #expect(try mode("RUN/secret/sampling.json") == 0o600)
        #expect(try folder.text("RUN/secret/.gitignore") == "*\n")
        // Control: what is no secret is for everybody.
        #expect(try mode("RUN/config.json") != 0o600)
    }

    /// The run still goes on: its owners come from the secret file, and others than the run's are refused.
    @Test func aRunOfUsersGoesOn() throws {
        let run = try WorkFolder()
        try run.write(Self.configuration(iterations: 220), to: "config.json")
        let whole = try WorkFolder()
        try whole.write(Self.configuration(iterations: 220), to: "config.json")
        #expect(try Program.run(Self.training, in: whole).status == 0)

        let program = try RunningProgram(Self.training, in: run)
        try program.wait(forStep: 13)
        program.send(SIGINT)
        #expect(try program.finish().status == 0)

        let secret = try run.text("RUN/secret/sampling.json")
        try run.remove("RUN/secret/sampling.json")
        let missing = try Program.run(SeededRun.resumption, in: run)
        #expect(missing.status == 1)
        #expect(missing.complaints.joined().contains("secret/sampling.json"))

        let other = try jsonObject(secret).merging(["owners": Array(Self.owners.reversed())]) { $1 }
        try run.write(try JSONSerialization.data(withJSONObject: other), to: "RUN/secret/sampling.json")
        let foreign = try Program.run(SeededRun.resumption, in: run)
        #expect(foreign.status == 1)
        #expect(foreign.complaints.joined().contains("belongs to another plan"))

        try run.write(secret, to: "RUN/secret/sampling.json")
        #expect(try SeededRun.resume(in: run) == SeededRun.Result(in: whole))
        for (path, data) in try published(run) {
            #expect(!Self.tells(String(decoding: data, as: UTF8.self)), "\(path)")
        }
    }

    /// A plan without owners has nothing to hide, and its folder has no such place.
    @Test func otherRunsHaveNoSecretFolder() throws {
        let folder = try WorkFolder()
        #expect(try Program.run(["train", "--demo", "--output", "RUN", "--iterations", "2"], in: folder).status == 0)
        #expect(!folder.has("RUN/secret"))
        #expect(try folder.object("RUN/config.json")["plan"] is [String: Any])
    }
}
