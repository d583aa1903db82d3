/// A few elements of an array in row-major order, as NumPy prints them: `[[0.1, 0.2, …, 0.9], …, [0.5, 0.6, …, 1.0]]`.
///
/// Of a last dimension of more than six places the first and the last three are shown, of any other of more than two
/// the first and the last. A shape of `[]` is one element.
package func arrayText(shape: [Int], element: (Int) -> Float) -> String {
    func text(_ dimension: Int, _ offset: Int) -> String {
        guard dimension < shape.count else { return "\(element(offset))" }
        let size = shape[dimension]
        let stride = shape[(dimension + 1)...].reduce(1, *)
        let edge = dimension == shape.count - 1 ? 3 : 1
        let places = size <= 2 * edge ? Array(0..<size) : Array(0..<edge) + Array(size - edge..<size)
        var parts = places.map { text(dimension + 1, offset + $0 * stride) }
        if places.count < size { parts.insert("…", at: edge) }
        return "[\(parts.joined(separator: ", "))]"
    }
    return text(0, 0)
}
