import CZlib
import Foundation

/// A small CSV file of two classes with all that makes CSV hard, and its schema.
enum ClientsCSV {
    static let header = "age,\"job, title\",income,answer"

    /// Who is older than 50 says yes, nine times in ten.
    static func rows(_ range: Range<Int>, withLabel: Bool = true) -> [String] {
        range.map { number in
            // Multiplying by odd numbers modulo primes: as good as random for this, and always the same.
            let age = 18 + (number * 37) % 71
            let flipped = (number * 53) % 97 < 9
            let job = ["\"clerk, senior\"", "\"the \"\"boss\"\"\"", "other"][(number * 29) % 3]
            let income = number % 7 == 0 ? "" : "\((number * 311) % 9000)"
            let label = (age > 50) != flipped ? "\"yes\"" : "no"
            return "\(age),\(job),\(income)" + (withLabel ? ",\(label)" : "")
        }
    }

    static func text(_ range: Range<Int>) -> String { ([header] + rows(range)).joined(separator: "\n") + "\n" }

    /// - Parameter hasBounds: whether the age's bounds are written down.
    static func schema(hasBounds: Bool = true) -> String {
        """
        {"columns": [
          {"name": "age", "kind": "numeric"\(hasBounds ? ", \"lower\": 18, \"upper\": 90" : "")},
          {"name": "job, title", "kind": "categorical",
           "categories": ["clerk, senior", "the \\"boss\\"", "other"]},
          {"name": "income", "kind": "numeric", "lower": 0, "upper": 10000, "fill": 3000, "hasIndicator": true},
          {"name": "answer", "kind": "label", "classes": ["no", "yes"]}]}
        """
    }
}

/// Images of 4 × 4 pixels in the idx format, whose class says which pixel is bright.
enum TinyImages {
    static func images(_ count: Int) -> Data {
        var bytes: [UInt8] = [0, 0, 8, 3] + bigEndian(count) + bigEndian(4) + bigEndian(4)
        for example in 0..<count {
            bytes += (0..<16).map { $0 == label(example) ? 255 : UInt8((example * 31 + $0 * 17) % 60) }
        }
        return Data(bytes)
    }

    /// - Parameter first: the label that stands for class 0.
    static func labels(_ count: Int, first: Int = 0) -> Data {
        Data([0, 0, 8, 1] + bigEndian(count) + (0..<count).map { UInt8(first + label($0)) })
    }

    /// Writes the four files to `name` in `folder`, with `separator` before `idx` in their names.
    static func write(
        to name: String, in folder: WorkFolder, compressed: Bool, firstLabel: Int = 0, separator: String = "-"
    ) throws {
        for (prefix, count) in [("train", 400), ("t10k", 50)] {
            for (file, data) in [
                ("images\(separator)idx3", images(count)), ("labels\(separator)idx1", labels(count, first: firstLabel)),
            ] {
                let path = "\(name)/\(prefix)-\(file)-ubyte"
                try folder.write(compressed ? gzipped(data) : data, to: compressed ? path + ".gz" : path)
            }
        }
    }

    static func label(_ example: Int) -> Int { (example * 7) % 10 }

    private static func bigEndian(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(number >> $0 & 255) } }
}

/// The bytes as one gzip member.
func gzipped(_ data: Data) -> Data {
    var stream = z_stream()
    precondition(
        deflateInit2_(
            &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            == Z_OK)
    defer { deflateEnd(&stream) }
    var input = [UInt8](data)
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(input.count))))
    return input.withUnsafeMutableBufferPointer { input in
        let count = output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = uInt(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = uInt(output.count)
            precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
            return output.count - Int(stream.avail_out)
        }
        return Data(output.prefix(count))
    }
}
