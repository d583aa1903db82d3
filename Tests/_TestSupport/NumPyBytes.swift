import CZlib
import Foundation

/// A `.npy` file of little-endian elements in C order, as `numpy.save` writes it.
package func npy(
    _ type: String, _ shape: [Int], _ elements: [some Any], version: UInt8 = 1, order: String = "False",
    header: String? = nil
) -> [UInt8] {
    let dimensions = shape.map { "\($0)," }.joined(separator: " ")
    let text = header ?? "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(dimensions)), }\n"
    let length = littleEndian(text.utf8.count, version == 1 ? 2 : 4)
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(text.utf8)
        + elements.withUnsafeBytes { Array($0) }
}

/// A zip archive of stored members; with `isLarge`, every size and offset stands in zip64 fields.
package func zipped(_ members: [(name: String, bytes: [UInt8])], isLarge: Bool = false) -> [UInt8] {
    var (archive, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, bytes) in members {
        let checksum = Int(bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) })
        let offset = archive.count
        let size = isLarge ? littleEndian(0xffff_ffff, 4) : littleEndian(bytes.count, 4)
        let sizes = littleEndian(bytes.count, 8) + littleEndian(bytes.count, 8)
        let extra = isLarge ? littleEndian(1, 2) + littleEndian(24, 2) + sizes + littleEndian(offset, 8) : []
        let common =
            littleEndian(45, 2) + littleEndian(0, 8) + littleEndian(checksum, 4) + size + size
            + littleEndian(name.utf8.count, 2) + littleEndian(extra.count, 2)
        archive += littleEndian(0x0403_4b50, 4) + common + Array(name.utf8) + extra + bytes
        directory +=
            littleEndian(0x0201_4b50, 4) + littleEndian(45, 2) + common + littleEndian(0, 10)
            + littleEndian(isLarge ? 0xffff_ffff : offset, 4) + Array(name.utf8) + extra
    }
    let (begin, count) = (archive.count, members.count)
    archive += directory
    if isLarge {
        let end = archive.count
        archive += littleEndian(0x0606_4b50, 4) + littleEndian(44, 8) + littleEndian(45, 2) + littleEndian(45, 2)
        archive += littleEndian(0, 8) + littleEndian(count, 8) + littleEndian(count, 8)
        archive += littleEndian(directory.count, 8) + littleEndian(begin, 8)
        archive += littleEndian(0x0706_4b50, 4) + littleEndian(0, 4) + littleEndian(end, 8) + littleEndian(1, 4)
    }
    archive += littleEndian(0x0605_4b50, 4) + littleEndian(0, 4)
    archive += littleEndian(isLarge ? 0xffff : count, 2) + littleEndian(isLarge ? 0xffff : count, 2)
    archive += littleEndian(isLarge ? 0xffff_ffff : directory.count, 4)
    return archive + littleEndian(isLarge ? 0xffff_ffff : begin, 4) + littleEndian(0, 2)
}

/// The bytes of a number, the lowest first.
package func littleEndian(_ number: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
