import Synchronization

/// Vectors that an encoder leaves out of its document, and a decoder finds again: those of a checkpoint are written to
/// a binary file beside the text.
///
/// A `ParameterVector` that meets a store under `CodingUserInfoKey.vectorStore` writes only its place in the store.
package final class VectorStore: Sendable {
    private let contents: Mutex<[ParameterVector]>

    package init(_ vectors: [ParameterVector] = []) {
        contents = Mutex(vectors)
    }

    package var vectors: [ParameterVector] { contents.withLock { $0 } }

    func append(_ vector: ParameterVector) -> Int {
        contents.withLock {
            $0.append(vector)
            return $0.count - 1
        }
    }

    subscript(place: Int) -> ParameterVector? {
        contents.withLock { $0.indices.contains(place) ? $0[place] : nil }
    }
}

extension CodingUserInfoKey {
    package static let vectorStore = CodingUserInfoKey(rawValue: "swift-private-training.vector-store")!
}
