/// The one of `candidates` that `word` is most likely a misspelling of; nil if none is close.
///
/// Close means: at most one edit for each three letters, and one at least, whatever the case of letters. An edit
/// inserts, deletes or replaces a letter, or exchanges two neighbours.
package func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
    let written = Array(word.lowercased())
    let ranked = candidates.map { (name: $0, edits: edits(from: written, to: Array($0.lowercased()))) }
    guard let best = ranked.min(by: { $0.edits < $1.edits }), best.edits <= max(1, written.count / 3) else {
        return nil
    }
    return best.name
}

/// The Damerau–Levenshtein distance where no letter is edited twice.
private func edits(from first: [Character], to second: [Character]) -> Int {
    var beforeLast = [Int](repeating: 0, count: second.count + 1)
    var last = Array(0...second.count)
    for i in first.indices {
        var row = [i + 1]
        for j in second.indices {
            var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (first[i] == second[j] ? 0 : 1))
            if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                best = min(best, beforeLast[j - 1] + 1)
            }
            row.append(best)
        }
        (beforeLast, last) = (last, row)
    }
    return last[second.count]
}
