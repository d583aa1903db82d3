/// The header of a safetensors file.
struct SafeTensorsHeader: Equatable {
    struct Tensor: Equatable {
        var name: String
        var type: String
        var shape: [Int]
        /// Where the tensor's bytes begin and end, counted from the end of the header.
        var begin: Int
        var end: Int
    }

    var tensors: [Tensor] = []
    var metadata: [String: String] = [:]

    /// The header with its tensors in the order in which they lie, in `dataBytes` bytes of data.
    ///
    /// Throws unless they lie there without gaps and overlaps, and have the bytes that their shapes need, where their
    /// type says how many.
    func checked(dataBytes: Int) throws(SafeTensorsProblem) -> SafeTensorsHeader {
        var header = self
        // Empty tensors come before the one that begins where they do.
        header.tensors.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
        var position = 0
        for tensor in header.tensors {
            let (name, begin, end) = (tensor.name, tensor.begin, tensor.end)
            guard begin <= end, end <= dataBytes else {
                throw .outOfRange(name: name, begin: begin, end: end, dataBytes: dataBytes)
            }
            if let element = SafeTensorsElement(rawValue: tensor.type), tensor.byteCount(element) != end - begin {
                throw .sizeMismatch(
                    name: name, shape: tensor.shape, bytes: end - begin, bytesPerElement: element.size)
            }
            guard begin == position else { throw .notContiguous(name: name, begin: begin, expected: position) }
            position = end
        }
        guard position == dataBytes else { throw .unclaimedBytes(dataBytes - position) }
        return header
    }
}

extension SafeTensorsHeader.Tensor {
    /// The bytes that the shape promises; nil for more than `Int` counts.
    fileprivate func byteCount(_ element: SafeTensorsElement) -> Int? {
        if shape.contains(0) { return 0 }
        var bytes = element.size
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            bytes = product
        }
        return bytes
    }
}
