import Foundation
import LinearAlgebra
import Requirements

extension GridSum {
    /// Adds up the sums of all ranks: each then has that of its share of the columns, and zeros elsewhere.
    ///
    /// Moves eight bytes for each column, and eight more for columns whose sum is in two parts.
    ///
    /// Traps unless all ranks have the same `terms`, and the same description of every part: integers that were bounded
    /// under one scale must not be read under another.
    ///
    /// **Guarantee:** a column's parts are then what they were on one rank that had added all examples: sums of the
    /// same integers. Traps for more examples than a sum can hold.
    func reduce(over ranks: Ranks, on grid: SumGrid, terms: RankDigest) {
        let all = ranks.gather(RankParts(of: self, terms).numbers).map(RankParts.init)
        for (rank, parts) in all.enumerated() {
            require(
                parts.terms == all[0].terms,
                "Rank \(rank) has another grid, noise multiplier, divisor or scale than rank 0: \(Self.remedy)")
            for (columns, digest) in parts.fine {
                require(
                    all.allSatisfy { $0.fine[columns] ?? digest == digest },
                    "Rank \(rank) reads the sums of the columns \(columns) in its own way: \(Self.remedy)")
            }
        }
        let examples = all.reduce(0) { $0 + $1.examples }
        require(
            examples <= grid.mostExamples,
            "A sum on a grid of sensitivity \(grid.sensitivity) holds \(grid.mostExamples) examples, not the "
                + "\(examples) of \(ranks.count) ranks.")
        let rows = Self.union(all.map(\.rows))
        let fineColumns = Self.union(all.map { Array($0.fine.keys) })
        for columns in fineColumns where all.contains(where: { $0.fine[columns] == nil }) {
            let root = all.firstIndex { $0.fine[columns] != nil }!
            let own = fineParts.first { $0.columns == columns }
            let sent = ranks.broadcast(own.map(FinePart.coded) ?? Data(), from: root)
            if own == nil { _ = fineSum(for: columns) { FinePart(coded: sent) } }
        }
        let shares = ranks.shares(ofColumns: columns)
        func parts(_ ranges: [Range<Int>], of share: Range<Int>) -> [Range<Int>] {
            ranges.map { $0.clamped(to: share) }.filter { !$0.isEmpty }
        }
        let pieces = shares.map { (rows: parts(rows, of: $0), fine: parts(fineColumns, of: $0)) }
        let places = Ranks.consecutive(
            pieces.map { pieces in (pieces.rows + pieces.fine).reduce(0) { $0 + $1.count } })
        let numbers = memoryForRanks(count: places.last?.upperBound ?? 0)
        var place = 0
        for pieces in pieces {
            for columns in pieces.rows {
                takeRows(columns, to: numbers.base + place)
                place += columns.count
            }
            for columns in pieces.fine {
                takeFine(columns, to: numbers.base + place)
                place += columns.count
            }
        }
        ranks.collective.reduceScatter(UnsafeMutableBufferPointer(start: numbers.base, count: place), shares: places)
        // What was taken away is in `carried` and `fine` from here on, and `recent` is empty.
        forgetRows()
        place = 0
        for columns in pieces[ranks.rank].rows {
            putRows(columns, from: numbers.base + place)
            place += columns.count
        }
        for columns in pieces[ranks.rank].fine {
            _ = fine.map { ($0.base + columns.lowerBound).update(from: numbers.base + place, count: columns.count) }
            place += columns.count
        }
    }

    private static var remedy: String { "ranks need the same state, on processors that compute the same." }

    /// All ranges that any has, in order; one that covers all swallows the others.
    private static func union(_ ranges: [[Range<Int>]]) -> [Range<Int>] {
        let sorted = Set(ranges.joined()).sorted { ($0.lowerBound, -$0.count) < ($1.lowerBound, -$1.count) }
        return sorted.reduce(into: []) { kept, range in
            if let last = kept.last, last.upperBound >= range.upperBound { return }
            kept.append(range)
        }
    }
}

/// Which parts of a rank's sum hold anything.
private struct RankParts {
    let terms: UInt64
    let examples: Int
    let rows: [Range<Int>]
    /// A digest of how each is read, by its columns.
    let fine: [Range<Int>: UInt64]

    init(of sum: GridSum, _ terms: RankDigest) {
        self.terms = terms.value
        (examples, rows) = (sum.exampleCount, sum.columnsWithRows)
        fine = Dictionary(uniqueKeysWithValues: sum.fineParts.map { ($0.columns, RankDigest($0).value) })
    }

    /// As numbers, for others.
    var numbers: [Int64] {
        let bounds = (rows + fine.keys).flatMap { [$0.lowerBound, $0.upperBound] }
        return [Int64(bitPattern: terms)] + ([examples, rows.count, fine.count] + bounds).map(Int64.init)
            + fine.values.map(Int64.init(bitPattern:))
    }

    init(_ numbers: [Int64]) {
        let (rowCount, fineCount) = (Int(numbers[2]), Int(numbers[3]))
        let ranges = (0..<rowCount + fineCount).map { Int(numbers[4 + 2 * $0])..<Int(numbers[5 + 2 * $0]) }
        terms = UInt64(bitPattern: numbers[0])
        examples = Int(numbers[1])
        rows = Array(ranges.prefix(rowCount))
        let digests = numbers.suffix(fineCount).map(UInt64.init(bitPattern:))
        fine = Dictionary(uniqueKeysWithValues: zip(ranges.dropFirst(rowCount), digests))
    }
}

extension FinePart {
    /// For a rank that has added nothing to it.
    fileprivate static func coded(_ part: FinePart) -> Data {
        guard let data = try? JSONEncoder().encode(part) else {
            fail("A part of a sum has weights that are not finite.")
        }
        return data
    }

    fileprivate init(coded data: Data) {
        guard let part = try? JSONDecoder().decode(FinePart.self, from: data) else {
            fail("Another rank sent \(data.count) bytes that do not describe a part of a sum.")
        }
        self = part
    }
}
