import PrivateTraining
import Synchronization

/// A data set that remembers what it was asked for: a step's batch, where it is not cut.
final class RecordingDataset: Dataset {
    private let data: ListedDataset
    private let batches = Mutex<[[Int]]>([])

    init(_ data: ListedDataset) { self.data = data }

    var count: Int { data.count }
    var featureCount: Int { data.featureCount }

    func examples(at indices: [Int]) throws -> Examples {
        batches.withLock { $0.append(indices) }
        return try data.examples(at: indices)
    }

    /// What was asked for since the last call.
    func takeBatches() -> [[Int]] {
        batches.withLock { batches in
            defer { batches = [] }
            return batches
        }
    }
}
