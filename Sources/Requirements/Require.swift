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
    fatalError(sentence, file: file, line: line)
}
