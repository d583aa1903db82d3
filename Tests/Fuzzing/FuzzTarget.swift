import Foundation

/// Something that reads bytes which anybody may have written.
struct FuzzTarget: Sendable {
    /// Its name on the command line, and that of its corpus.
    let name: String
    /// Inputs to begin from, where they cannot be written by hand.
    var seeds: @Sendable () throws -> [[UInt8]] = { [] }
    /// Reads `bytes`. May throw any error of this package's, or `DecodingError`. What traps, reports, hangs or takes
    /// more memory than allowed is a finding.
    let body: @Sendable (_ bytes: [UInt8]) throws -> Void

    /// Which one this process runs: libFuzzer's callback has no place for it.
    nonisolated(unsafe) static var chosen: FuzzTarget?

    /// libFuzzer's callback: 0 for an input that may enter the corpus.
    static func run(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32 {
        do {
            try chosen?.body(Array(bytes))
        } catch {
            check(isTyped: error)
        }
        return 0
    }

    /// Traps unless the error is one that somebody thought of: Foundation's say neither which value nor what to do.
    private static func check(isTyped error: any Error) {
        // Its words are made from the input, too.
        let words = String(describing: error)
        if type(of: error) is NSError.Type || error is CocoaError || error is POSIXError || words.isEmpty {
            fatalError("An error that is not of this package's: \(words)")
        }
    }
}

/// Traps unless `condition` holds: a finding.
func expect(_ condition: Bool, _ sentence: @autoclosure () -> String) {
    if !condition { fatalError(sentence()) }
}
