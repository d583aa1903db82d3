import PyTrees
@_exported import _TestSupport

extension ParameterVector {
    static let smallLayout = {
        do {
            return try TreeLayout([("a", [5]), ("b", [2, 3]), ("c", [2, 2])])
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Numbers in [-1, 1].
    static func random(
        layout: TreeLayout = smallLayout, using generator: inout SeededGenerator
    ) -> ParameterVector {
        ParameterVector(zeros: layout).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    func adding(_ other: ParameterVector) -> ParameterVector {
        var result = self
        result.withUnsafeMutableValues { result in
            for index in result.indices { result[index] += other.values[index] }
        }
        return result
    }

    var address: UnsafeRawPointer? {
        withUnsafeValues { $0.baseAddress.map { UnsafeRawPointer($0) } }
    }
}
