import Foundation
import Requirements

/// The ranks of a run that is trained by several processes: this one's place among them, and how it reaches the others.
///
/// Every rank takes every step: each adds up its part of the batch, in integers; each adds noise to its share of the
/// sum; and what comes of it is brought to all. They are one curator: what passes between them is as secret as the
/// data.
///
/// Either every rank reads all of the data, and the blocks of each batch are dealt out; or each holds a part of them
/// (``holdingPart(of:)``) and draws its own examples.
///
/// **Guarantee:** the noised sum is, in every bit, that of one rank with the same seed and the same batch, whatever the
/// number of ranks. Every column of it has one copy of the noise.
public struct Ranks: Sendable {
    package let collective: any Collective
    /// How many examples this rank holds, where each holds a part of the data; nil where every rank reads all of them.
    public private(set) var partCount: Int?

    package init(_ collective: any Collective) {
        self.collective = collective
    }

    /// This rank, from 0 on. Rank 0 is the one that reports and writes.
    public var rank: Int { collective.rank }

    /// How many ranks there are.
    public var count: Int { collective.count }

    /// The same ranks, of which each holds a part of the data, this one `count` examples, and draws from them under a
    /// key of its own.
    ///
    /// Parts may differ in size, and may be empty; every rank says its own. No example may stand in two of them, and
    /// which example is in which part must not depend on what examples hold. The plan is for all examples together.
    ///
    /// **Guarantee:** the law of the batches is that of one rank with all of the data; samplers of which that is not
    /// known are refused (`PrivacyMechanismError.needsAllExamples`).
    ///
    /// Traps for a negative count.
    public func holdingPart(of count: Int) -> Ranks {
        require(count >= 0, "A rank holds \(count) examples, but 0 is the least.")
        var ranks = self
        ranks.partCount = count
        return ranks
    }

    /// Ends all ranks at once: for a rank that cannot go on, whose sentence should be on standard error before.
    public func abort() -> Never { collective.abort() }

    /// What `body` returns on every rank. If it throws on any, all throw: the first rank that failed its own error, and
    /// the others ``RankError/failed(rank:reason:)`` with its sentence.
    ///
    /// For what ranks do by themselves before they do anything together.
    public func together<Value>(_ body: () throws -> Value) throws -> Value {
        let result = Result { try body() }
        var sentence = Data()
        // One byte more, for a sentence that is empty.
        if case .failure(let error) = result { sentence = Data("!\(error)".utf8) }
        let sentences = gather(sentence)
        guard let first = sentences.firstIndex(where: { !$0.isEmpty }) else { return try result.get() }
        if first == rank { return try result.get() }
        throw RankError.failed(rank: first, reason: String(decoding: sentences[first].dropFirst(), as: UTF8.self))
    }

    /// What `make` returns on rank 0, on every rank; its error as ``RankError`` on the others.
    package func fromFirst<Value: Codable>(_ make: () throws -> Value) throws -> Value {
        let own = try together {
            try rank == 0 ? { (value: $0, data: try JSONEncoder().encode($0)) }(make()) : nil
        }
        let data = broadcast(own?.data ?? Data())
        return try own?.value ?? JSONDecoder().decode(Value.self, from: data)
    }

    /// Throws ``RankError/mismatch(rank:what:value:expected:)`` on all ranks unless each of `facts` is the same on all
    /// of them.
    package func agree(on facts: KeyValuePairs<String, String>) throws(RankError) {
        try compare(facts) { .mismatch(rank: $0, what: $1, value: $2, expected: $3) }
    }

    /// As ``agree(on:)``, for digests of what is secret, which no error may tell: throws
    /// ``RankError/otherRun(rank:what:)``. Who knows all of the data but one example could find that one by its digest.
    package func agree(onSecret digests: KeyValuePairs<String, String>) throws(RankError) {
        try compare(digests) { rank, what, _, _ in .otherRun(rank: rank, what: what) }
    }

    private func compare(
        _ facts: KeyValuePairs<String, String>,
        _ error: (_ rank: Int, _ what: String, _ value: String, _ expected: String) -> RankError
    ) throws(RankError) {
        for (what, value) in facts {
            let values = gather(Data(value.utf8)).map { String(decoding: $0, as: UTF8.self) }
            if let other = values.firstIndex(where: { $0 != values[0] }) {
                throw error(other, what, values[other], values[0])
            }
        }
    }
}

extension Ranks? {
    /// Whether this process reports and writes: rank 0, or one that is alone.
    package var isFirst: Bool { self?.rank ?? 0 == 0 }

    /// What `body` returns, as ``Ranks/together(_:)``.
    package func together<Value>(_ body: () throws -> Value) throws -> Value {
        try self.map { try $0.together(body) } ?? body()
    }

    /// What `body` returns where this process is the first, and nil elsewhere. Throws on all ranks if it throws.
    package func onFirst<Value>(_ body: () throws -> Value) throws -> Value? {
        try together { isFirst ? try body() : nil }
    }

    /// What `body` returns, as ``Ranks/fromFirst(_:)``.
    package func fromFirst<Value: Codable>(_ body: () throws -> Value) throws -> Value {
        try self.map { try $0.fromFirst(body) } ?? body()
    }
}

extension Ranks {
    /// Throws ``RankError`` on all ranks unless each holds a part of the data, or none does.
    package func agreeOnParts() throws(RankError) {
        try agree(on: ["way of holding the data": partCount == nil ? "all of them" : "a part of them"])
    }

    /// Throws ``RankError/sameData(rank:other:)`` on all ranks if two that hold examples have the same `digest` of
    /// them.
    package func requireOtherParts(_ digest: String) throws(RankError) {
        let parts = gather(Data((partCount == 0 ? "" : digest).utf8))
        for (rank, part) in parts.enumerated() where !part.isEmpty {
            if let other = parts[..<rank].firstIndex(of: part) { throw .sameData(rank: rank, other: other) }
        }
    }

    /// The places of `count` examples of this rank, where those of all ranks stand one after the other, and how many
    /// there are of all.
    package func places(ofPart count: Int) -> (own: Range<Int>, total: Int) {
        let parts = Self.consecutive(gather(one: Int64(count)).map { Int($0) })
        return (parts[rank], parts.last?.upperBound ?? 0)
    }

    /// Whether `isTrue` is true on every rank.
    package func all(_ isTrue: Bool) -> Bool { !gather(one: isTrue ? 1 : 0).contains(0) }

    /// What each rank has, by rank.
    func gather(_ data: Data) -> [Data] {
        let counts = gather(one: Int64(data.count)).map { Int($0) }
        var bytes = [UInt8](repeating: 0, count: counts.reduce(0, +))
        let shares = Self.consecutive(counts)
        bytes.replaceSubrange(shares[rank], with: data)
        bytes.withUnsafeMutableBytes { collective.allGather($0, shares: shares) }
        return shares.map { Data(bytes[$0]) }
    }

    /// One number of each rank, by rank.
    func gather(one number: Int64) -> [Int64] {
        var numbers = [Int64](repeating: 0, count: count)
        numbers[rank] = number
        let shares = Self.consecutive(Array(repeating: MemoryLayout<Int64>.size, count: count))
        numbers.withUnsafeMutableBytes { collective.allGather($0, shares: shares) }
        return numbers
    }

    /// Numbers of each rank, by rank.
    func gather(_ numbers: [Int64]) -> [[Int64]] {
        gather(numbers.withUnsafeBytes { Data($0) }).map(Self.numbers)
    }

    /// The data of `root`, on every rank.
    func broadcast(_ data: Data, from root: Int = 0) -> Data {
        var size = [Int64(data.count)]
        size.withUnsafeMutableBytes { collective.broadcast($0, from: root) }
        var bytes = rank == root ? [UInt8](data) : [UInt8](repeating: 0, count: Int(size[0]))
        bytes.withUnsafeMutableBytes { collective.broadcast($0, from: root) }
        return Data(bytes)
    }

    static func numbers(_ data: Data) -> [Int64] {
        [Int64](unsafeUninitializedCapacity: data.count / MemoryLayout<Int64>.size) { numbers, count in
            count = data.copyBytes(to: numbers) / MemoryLayout<Int64>.size
        }
    }

    /// Ranges of these lengths, one after the other.
    static func consecutive(_ counts: [Int]) -> [Range<Int>] {
        var begin = 0
        return counts.map { count in
            defer { begin += count }
            return begin..<begin + count
        }
    }

    /// The columns that each rank noises and finishes: whole chunks of noise.
    func shares(ofColumns columns: Int) -> [Range<Int>] {
        let length = DiscreteGaussianChunk.length
        let chunks = (columns + length - 1) / length
        return (0..<count).map { rank in
            min(columns, chunks * rank / count * length)..<min(columns, chunks * (rank + 1) / count * length)
        }
    }

    /// The columns that this rank noises and finishes.
    package func share(ofColumns columns: Int) -> Range<Int> { shares(ofColumns: columns)[rank] }

    /// The rows that each rank makes of `rows`: as many, but for one.
    package func shares(ofRows rows: Int) -> [Range<Int>] {
        (0..<count).map { rows * $0 / count..<rows * ($0 + 1) / count }
    }

    /// Brings each rank's share of `values` to all others.
    package func allGather<Element: BitwiseCopyable>(
        _ values: UnsafeMutablePointer<Element>, shares: [Range<Int>]
    ) {
        let size = MemoryLayout<Element>.stride
        let bytes = UnsafeMutableRawBufferPointer(start: values, count: (shares.last?.upperBound ?? 0) * size)
        collective.allGather(bytes, shares: shares.map { $0.lowerBound * size..<$0.upperBound * size })
    }
}

/// What can go wrong between ranks.
public enum RankError: Error, Equatable, Sendable {
    /// A rank could not prepare what it needs; `reason` is its own sentence.
    case failed(rank: Int, reason: String)
    /// A rank has something else than rank 0, which must be the same everywhere.
    case mismatch(rank: Int, what: String, value: String, expected: String)
    /// The same of what is secret, or made of it.
    case otherRun(rank: Int, what: String)
    /// Two ranks, each of which was to hold a part of the data, hold the same examples.
    case sameData(rank: Int, other: Int)
}

extension RankError: CustomStringConvertible {
    /// Says which rank, and why.
    public var description: String {
        switch self {
        case .failed(let rank, let reason): "Rank \(rank) cannot take part: \(reason)"
        case .mismatch(let rank, let what, let value, let expected):
            "Rank \(rank) has the \(what) '\(value)', but rank 0 has '\(expected)'. \(Self.remedy)"
        case .otherRun(let rank, let what):
            "Rank \(rank) has the \(what) of another run than rank 0. \(Self.remedy)"
        case .sameData(let rank, let other):
            "Ranks \(other) and \(rank) hold the same examples, each of which would take part twice: give each rank a "
                + "part of the data that no other has, or let all of them share the batches of the whole."
        }
    }

    private static var remedy: String {
        "All ranks need the same: start them with the same program, files and options."
    }
}
