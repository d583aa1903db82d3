import Foundation
import Testing

/// The same of `dp audit`.
extension BadInputTests {
    @Test(arguments: [
        Wrong("", "--plan or --run is missing", "--demo"),
        Wrong("--plan p.json --demo", "--plan and --demo all say", "give one of them"),
        Wrong("--run RUN --data x --model softmax", "leave --data, --model out"),
        Wrong("--demo --data x", "leave --data out"),
        Wrong("--demo --canaries 0", "--canaries is 0", "at least 1"),
        Wrong("--demo --canaries 651", "--canaries is 651", "at most 650", "--runs", "--kind label"),
        Wrong("--demo --runs 0", "--runs is 0", "at least 1"),
        Wrong("--demo --confidence 1", "--confidence is 1", "in (0, 1)"),
        Wrong("--demo --confidence nan", "--confidence is nan", "in (0, 1)"),
        Wrong("--demo --kind lable", "--kind is 'lable'", "Did you mean 'label'"),
        Wrong("--demo --kind label --directions random", "--directions is of canaries that are gradients"),
        Wrong("--demo --statistic one-ran", "--statistic is 'one-ran'", "Did you mean 'one-run'"),
        Wrong("--demo --threshold low", "--threshold is 'low'", "corrected, split, or a number"),
        Wrong("--demo --threshold nan", "--threshold is 'nan'"),
        Wrong("--demo --canarys 3", "no option --canarys", "did you mean --canaries"),
        Wrong("--demo --average-tail 0.5", "--average-tail would have no effect"),
        Wrong("--demo --runs 2 --runs 3", "--runs is given 2 times"),
        Wrong("--demo --owners a.txt", "--owners", "canaries are examples"),
    ])
    func wrongAudits(_ wrong: Wrong) throws {
        try expectRefusal(["audit"] + wrong.arguments, wrong.says)
    }

    /// Each replaces a part of a plan that is good.
    @Test(arguments: [
        (#""delta": 1e-5"#, #""delta": 2"#, ["'delta' in 'p.json' is 2", "in [0, 1)"]),
        (#""delta""#, #""dleta""#, ["'dleta' in 'p.json'", "did you mean 'delta'"]),
        (#""epsilon": 2"#, #""epsilon": 2, "noiseMultiplier": 0.1"#, ["'noiseMultiplier' in 'p.json' does not fit"]),
        (#""epochs""#, #""exampleCount": 9000, "epochs""#, ["9000 examples, canaries among them", "data have 1437"]),
        (#""epochs""#, #""exampleCount": 400, "epochs""#, ["--canaries is 500", "at most 400", "--runs"]),
    ])
    func wrongPlansOfAudits(_ old: String, _ new: String, _ says: [String]) throws {
        let plan = #"""
            {"expectedBatchSize": 60, "epochs": 1, "epsilon": 2, "delta": 1e-5,
             "clipping": {"method": "threshold", "l2ClipNorm": 1}}
            """#
        try #require(plan.contains(old))
        try expectRefusal(["audit", "--plan", "p.json", "--format", "json", "--canaries", "500"], says) {
            try $0.write(plan.replacing(old, with: new), to: "p.json")
        }
    }

    @Test func auditsOfUsersAreRefused() throws {
        let text = SeededRun().configuration.replacing(#""model":"#, with: #""users": {"owners": "o"}, "model":"#)
        try expectRefusal(["audit", "--config", "c.json"], ["protects each user", "whose unit is the example"]) {
            try $0.write(text, to: "c.json")
        }
    }

    @Test(arguments: [
        Wrong("audit --plan none.json", "'none.json'", "No such file", "Give the path"),
        Wrong("audit --run none", "/none'", "'config.json' is missing", "Give the folder"),
    ])
    func missingAudits(_ wrong: Wrong) throws {
        try expectRefusal(wrong.arguments, wrong.says, status: 1)
    }
}
