import Crypto
import Foundation
import PyTrees

extension TrainableModel {
    /// SHA-256 of ``/Networks/TrainableModel/fixedParameters``, of the paths, shapes and bits of all leaves, in
    /// hexadecimal digits; nil if there are none.
    var fixedParametersDigest: String? {
        let vectors = fixedParameters
        guard vectors.contains(where: { !$0.layout.leaves.isEmpty }) else { return nil }
        var hash = SHA256()
        for vector in vectors {
            for leaf in vector.layout.leaves {
                // A path holds no zero byte, and the shape says how many bits follow.
                hash.update(data: Data("\(leaf.path)\0\(leaf.shape)\0".utf8))
                vector.values[leaf.range].withUnsafeBytes { hash.update(bufferPointer: $0) }
            }
        }
        return hash.finalize().hexadecimal
    }
}

extension SHA256Digest {
    /// Two digits a byte.
    var hexadecimal: String { map { String(format: "%02x", $0) }.joined() }
}
