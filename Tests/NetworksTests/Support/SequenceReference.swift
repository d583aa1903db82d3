import Foundation

/// Layers over sequences, position by position in Float64, written from their definitions.
enum SequenceReference {
    static func dense(_ x: [[Double]], _ kernel: [[Double]], _ bias: [Double]?) -> [[Double]] {
        x.map { row in
            kernel[0].indices.map { column in
                row.indices.reduce(bias?[column] ?? 0) { $0 + row[$1] * kernel[$1][column] }
            }
        }
    }

    static func gelu(_ x: Double) -> Double {
        x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * pow(x, 3))))
    }

    static func layerNorm(_ x: [[Double]], gain: [Double], bias: [Double]) -> [[Double]] {
        x.map { row in
            let mean = row.reduce(0, +) / Double(row.count)
            let variance = row.reduce(0) { $0 + pow($1 - mean, 2) } / Double(row.count)
            return row.indices.map { (row[$0] - mean) / sqrt(variance + Double(Float(1e-5))) * gain[$0] + bias[$0] }
        }
    }

    /// Heads of `q`, `k` and `v`; positions from `length` on are padding.
    static func attention(
        _ q: [[Double]], _ k: [[Double]], _ v: [[Double]], heads: Int, isCausal: Bool, length: Int
    ) -> [[Double]] {
        let size = q[0].count / heads
        return q.indices.map { (t: Int) -> [Double] in
            (0..<heads).flatMap { (head: Int) -> [Double] in
                let features = head * size..<(head + 1) * size
                let seen: [Int] = t >= length ? [] : (0..<length).filter { !isCausal || $0 <= t }
                let weights = seen.map { (s: Int) -> Double in
                    let product: Double = features.reduce(0) { $0 + q[t][$1] * k[s][$1] }
                    return exp(product / sqrt(Double(size)))
                }
                let total: Double = max(1e-300, weights.reduce(0, +))
                return features.map { (feature: Int) -> Double in
                    let sum: Double = zip(seen, weights).reduce(0) { $0 + $1.1 * v[$1.0][feature] }
                    return sum / total
                }
            }
        }
    }

    static func sum(_ x: [[Double]], _ y: [[Double]]) -> [[Double]] { zip(x, y).map { zip($0, $1).map(+) } }
}

extension LayerCheck {
    func dense(_ x: [[Double]], _ path: String) throws -> [[Double]] {
        let hasBias = network.layout.leaves.contains { "\($0.path)" == "\(path)/bias" }
        let bias = hasBias ? try leaf("\(path)/bias")[0] : nil
        return SequenceReference.dense(x, try leaf("\(path)/kernel"), bias)
    }

    func norm(_ x: [[Double]], _ path: String) throws -> [[Double]] {
        SequenceReference.layerNorm(x, gain: try leaf("\(path)/gain")[0], bias: try leaf("\(path)/bias")[0])
    }

    func attention(_ x: [[Double]], _ path: String, heads: Int, isCausal: Bool, length: Int) throws -> [[Double]] {
        let attended = SequenceReference.attention(
            try dense(x, "\(path)/query"), try dense(x, "\(path)/key"), try dense(x, "\(path)/value"), heads: heads,
            isCausal: isCausal, length: length)
        return try dense(attended, "\(path)/output")
    }

    func block(_ x: [[Double]], _ path: String, heads: Int, isCausal: Bool, length: Int) throws -> [[Double]] {
        let normed = try norm(x, "\(path)/attentionNorm")
        let y = SequenceReference.sum(
            x, try attention(normed, "\(path)/attention", heads: heads, isCausal: isCausal, length: length))
        let hidden = try dense(try norm(y, "\(path)/hiddenNorm"), "\(path)/hidden")
        return SequenceReference.sum(
            y, try dense(hidden.map { $0.map(SequenceReference.gelu) }, "\(path)/projection"))
    }
}
