import Foundation
import PyTrees

/// The tree of the reference values: a matrix, a vector and a scalar, or that many for each example.
struct ReferenceTree: Decodable {
    struct Dense: Decodable {
        let bias: Numbers
        let kernel: Numbers
    }

    /// Nested lists of numbers, flattened.
    struct Numbers: Decodable {
        let values: [Float]

        init(from decoder: any Decoder) throws {
            if let number = try? decoder.singleValueContainer().decode(Float.self) {
                values = [number]
            } else {
                values = try decoder.singleValueContainer().decode([Numbers].self).flatMap(\.values)
            }
        }
    }

    let dense: Dense
    let temperature: Numbers

    static let layout = {
        do {
            return try TreeLayout([("dense/bias", [4]), ("dense/kernel", [3, 4]), ("temperature", [])])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    var vector: ParameterVector {
        get throws {
            let values = dense.bias.values + dense.kernel.values + temperature.values
            return try ParameterVector(values: values, layout: Self.layout)
        }
    }
}

extension ParameterVector {
    func map(_ transform: (Float) -> Float) -> ParameterVector {
        var result = self
        result.withUnsafeMutableValues { for index in $0.indices { $0[index] = transform($0[index]) } }
        return result
    }

    var magnitudes: ParameterVector { map(abs) }
}
