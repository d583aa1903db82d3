import Foundation
import PrivateTraining
import PyTrees
import Testing

@Suite struct SafeTensorsTests {
    private let vector: ParameterVector = {
        let layout = try! TreeLayout([("dense/kernel", [2, 3]), ("dense/bias", [3]), ("empty", [0]), ("scale", [])])
        let values: [Float] = [
            1, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, Float(bitPattern: 0x7fa0_1234), 2, 3, 4, 5,
        ]
        return try! ParameterVector(values: values, layout: layout)
    }()

    @Test func everyBitComesBack() throws {
        let contents = try SafeTensors.decode(SafeTensors.encode(vector, metadata: ["step": "3"]))
        #expect(contents.vector.values.map(\.bitPattern) == vector.values.map(\.bitPattern))
        #expect(contents.metadata == ["step": "3"])
        for leaf in vector.layout.leaves { #expect(contents.vector.layout[leaf.path]?.shape == leaf.shape) }
    }

    @Test func theBytesAreThoseOfTheFormat() throws {
        let layout = try TreeLayout([("a", [2])])
        let data = try SafeTensors.encode(try ParameterVector(values: [1, 2], layout: layout))
        let header = #"{"a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var expected = Data([UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0])
        expected += Data(padded.utf8) + Data([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
        #expect(data == expected)
    }

    @Test func everyTruncationIsAnError() throws {
        let data = try SafeTensors.encode(vector)
        for length in 0..<data.count {
            #expect(throws: FileError.self) { try SafeTensors.decode(data.prefix(length)) }
        }
        #expect(throws: FileError.self) { try SafeTensors.decode(data + Data([0])) }
    }

    private func file(_ header: String, bytes: Int) -> Data {
        var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        data += Data(header.utf8) + Data(count: bytes)
        return data
    }

    @Test(arguments: [
        (#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, 4, "F16"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "shape"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "begin at 0"),
        (
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8, "begin at 8"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 12, "12"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "-1"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, 4, "overflow"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "begin at 0"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "begin at 0"),
        (#"{"a":3}"#, 0, "header"),
        (#"{"a":{"k":"v"}}"#, 0, "no tensor"),
        ("not json", 0, "header"),
    ])
    func hostileHeadersAreErrors(_ header: String, _ bytes: Int, _ part: String) throws {
        let error = #expect(throws: FileError.self) { try SafeTensors.decode(file(header, bytes: bytes)) }
        guard part != "overflow" else { return }
        #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }

    @Test func aHeaderThatPromisesTooMuchIsAnError() throws {
        let data = Data([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]) + Data("{}".utf8)
        #expect(throws: FileError.self) { try SafeTensors.decode(data) }
    }
}
