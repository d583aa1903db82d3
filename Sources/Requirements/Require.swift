import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Traps with a sentence unless `condition` holds: for mistakes of the programmer who calls.
///
/// Unlike the standard library's `precondition`, it keeps the sentence in release builds, where people meet it. The
/// sentence is made only where it is needed.
@inlinable
package func require(
    _ condition: @autoclosure () -> Bool, _ sentence: @autoclosure () -> String, file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { fail(sentence(), file: file, line: line) }
}

/// Traps with a sentence, in release builds too.
@usableFromInline
package func fail(_ sentence: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    let descriptor = Traps.descriptor.load(ordering: .relaxed)
    if descriptor >= 0 {
        let text = "\(file):\(line): \(sentence)\n"
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
    }
    fatalError(sentence, file: file, line: line)
}

/// Where traps tell their sentence beside standard error.
package enum Traps {
    /// A descriptor, for processes whose standard error nobody reads; −1 for none.
    package static let descriptor = Atomic<CInt>(-1)
}
