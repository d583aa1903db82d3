// Data of your own: a CSV file with a schema, and a type that reads examples from wherever they lie.
//
// Bounds and categories of a schema are written down before anybody looks at the data. The encoding of an example then
// depends on nobody else's, and costs no privacy.

import Foundation
import PrivateTraining

// snippet.hide
let folder = FileManager.default.temporaryDirectory.appending(path: "own-data-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }
let people = (0..<2_000).map { _ in
    let (age, job) = (Int.random(in: 18...90), ["farmer", "nurse", "teacher"].randomElement()!)
    return "\(age),\(job),\(age + Int.random(in: -9...9) > (job == "farmer" ? 40 : 60) ? "yes" : "no")"
}
let csv = folder.appending(path: "people.csv").path
try (["age,job,retired"] + people).joined(separator: "\n").write(toFile: csv, atomically: true, encoding: .utf8)
let records = folder.appending(path: "records")
try Data(
    (0..<2_000).flatMap { _ in
        let (x, y) = (Float.random(in: 0...1), Float.random(in: 0...1))
        return [x, y, 0.3 * x + 0.5 * y].flatMap { withUnsafeBytes(of: $0, Array.init) }
    }
).write(to: records)
// snippet.show
// snippet.csv
let schema = CSVSchema(columns: [
    .init("age", .numeric(.init(lower: 18, upper: 90))),
    .init("job", .categorical(["farmer", "nurse", "teacher"], unlisted: .zeros)),
    .init("retired", .label(classes: ["no", "yes"])),
])
let (training, test) = try CSVFile(csv, schema: schema).dataset.split(testShare: 0.2, seed: 1)
// snippet.end

// snippet.dataset
/// Records of two features and a target in a file, of which only what a step needs is in memory.
struct RecordFile: Dataset {
    let bytes: Data
    let featureCount = 2
    var count: Int { bytes.count / 12 }

    init(_ url: URL) throws { bytes = try Data(contentsOf: url, options: .alwaysMapped) }

    func examples(at indices: [Int]) -> Examples {
        bytes.withUnsafeBytes { bytes in
            func number(_ place: Int, of index: Int) -> Float {
                bytes.loadUnaligned(fromByteOffset: 12 * index + 4 * place, as: Float.self)
            }
            return Examples(
                inputs: Matrix(indices.map { [number(0, of: $0), number(1, of: $0)] }),
                targets: .values(Matrix(indices.map { [number(2, of: $0)] })))
        }
    }
}
// snippet.end

func train(_ architecture: NetworkArchitecture, on data: some Dataset) throws -> (Network, ParameterVector) {
    let plan = try PrivacyPlan(
        exampleCount: data.count, expectedBatchSize: 200, epochs: 10, clipping: .flat(l2ClipNorm: 1),
        budget: .epsilon(2), delta: 1e-6)
    let model = try Network(architecture)
    return (model, try Trainer(plan: plan, model: model, optimizer: adam(learningRate: 0.05)).fit(data).parameters)
}

let (classifier, weights) = try train(.softmaxRegression(features: training.featureCount, classes: 2), on: training)
print(try classifier.evaluate(on: test, at: weights))
let (line, coefficients) = try train(.linearRegression(features: 2), on: RecordFile(records))
print(coefficients)  // near 0.3, 0.5 and 0
