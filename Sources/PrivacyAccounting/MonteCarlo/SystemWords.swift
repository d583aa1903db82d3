import Foundation
import Requirements

/// The operating system's randomness, 32 words at a time: `SystemRandomNumberGenerator` asks for each word alone.
struct SystemWords: RandomNumberGenerator {
    private var words = [UInt64](repeating: 0, count: 32)
    private var place = 32

    mutating func next() -> UInt64 {
        if place == words.count {
            // At most 256 bytes are given at once, and all of them or none.
            let status = words.withUnsafeMutableBytes { getentropy($0.baseAddress!, $0.count) }
            require(status == 0, "The operating system gives no randomness (error \(errno)).")
            place = 0
        }
        defer { place += 1 }
        return words[place]
    }
}
