import Crypto
import Foundation
import LinearAlgebra
import PrivacyMechanisms

extension Trainer {
    /// Whether this rank reports and writes.
    var isFirst: Bool { ranks?.rank ?? 0 == 0 }

    /// What `body` returns on each rank; throws on all of them if it throws on one.
    func together<Value>(_ body: () throws -> Value) throws -> Value {
        guard let ranks else { return try body() }
        return try ranks.together(body)
    }

    /// What `body` returns on rank 0, where alone it is called; nil on the others. Throws on all ranks if it throws.
    func onFirst<Value>(_ body: () throws -> Value) throws -> Value? {
        try together { isFirst ? try body() : nil }
    }

    /// What rank 0 decides, where alone `body` is called.
    func decided(_ body: () throws -> Bool) throws -> Bool {
        guard let ranks else { return try body() }
        return try ranks.fromFirst(body)
    }
}

extension Dataset {
    /// SHA-256 of all examples in their order: inputs, targets and lengths. It is as secret as they are.
    func digest() throws -> String {
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
