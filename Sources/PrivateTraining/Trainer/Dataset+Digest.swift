import Crypto
import Foundation
import LinearAlgebra

extension Dataset {
    /// SHA-256 of all examples in their order: inputs, targets and lengths. It is as secret as they are.
    package func digest() throws -> String {
        var hash = SHA256()
        func add(_ integers: [Int]) { integers.withUnsafeBytes { hash.update(bufferPointer: $0) } }
        func add(_ matrix: Matrix) {
            add([matrix.rows, matrix.columns])
            matrix.withUnsafeElements { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        }
        for begin in stride(from: 0, to: count, by: 1024) {
            let examples = try examples(at: Array(begin..<min(begin + 1024, count)))
            add(examples.inputs)
            switch examples.targets {
            case .classes(let classes, let classCount): add([classCount] + classes)
            case .values(let values): add(values)
            }
            add(examples.lengths ?? [])
        }
        return hash.finalize().hexadecimal
    }
}
