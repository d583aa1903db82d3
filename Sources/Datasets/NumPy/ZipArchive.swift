import CZlib

/// The members of a zip archive as `numpy.savez` and `numpy.savez_compressed` write them: stored or deflated, with
/// zip64 where sizes need it (APPNOTE.TXT 6.3.10).
///
/// Whoever made the file may be an adversary: every offset is held against the file's length, and nothing is inflated
/// beyond the size that the archive's directory promises and the limit allows.
struct ZipArchive {
    private struct Member {
        let method: Int
        let checksum: UInt
        let compressedSize: Int
        let size: Int
        /// Where the member's own header begins.
        let offset: Int
    }

    private let bytes: [UInt8]
    private let path: String
    private var members: [String: Member] = [:]

    /// Whether the bytes begin as a zip archive does, be it empty.
    static func isZip(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x50, 0x4b, 3, 4]) || bytes.starts(with: [0x50, 0x4b, 5, 6])
    }

    /// The names of the members, sorted.
    var names: [String] { members.keys.sorted() }

    /// Reads the directory of the archive in `bytes`; `path` names it in errors.
    init(_ bytes: [UInt8], path: String) throws(DatasetError) {
        self.bytes = bytes
        self.path = path
        let (count, size, offset) = try directory()
        guard offset <= bytes.count, size <= bytes.count - offset else { throw damaged("its directory is not in it") }
        var position = offset
        for _ in 0..<count {
            guard try number(position, 4) == 0x0201_4b50 else { throw damaged("its directory is cut short") }
            let (nameLength, extraLength) = (try number(position + 28, 2), try number(position + 30, 2))
            let end = position + 46 + nameLength + extraLength + (try number(position + 32, 2))
            guard end <= offset + size else { throw damaged("its directory is cut short") }
            let name = String(decoding: bytes[position + 46..<position + 46 + nameLength], as: UTF8.self)
            guard try number(position + 8, 2) & 1 == 0 else { throw damaged("'\(name.shortened)' is encrypted") }
            var fields = [try number(position + 24, 4), try number(position + 20, 4), try number(position + 42, 4)]
            let extra = position + 46 + nameLength
            try replaceSaturated(&fields, from: extra..<extra + extraLength)
            let member = Member(
                method: try number(position + 10, 2), checksum: UInt(try number(position + 16, 4)),
                compressedSize: fields[1], size: fields[0], offset: fields[2])
            guard members.updateValue(member, forKey: name) == nil else {
                throw damaged("it has '\(name.shortened)' twice")
            }
            position = end
        }
    }

    /// The bytes of the member `name`; nil if there is none. Throws ``DatasetError`` if it is damaged or has more than
    /// `limit` bytes.
    func read(_ name: String, limit: Int) throws(DatasetError) -> [UInt8]? {
        guard let member = members[name] else { return nil }
        guard member.size <= limit else { throw .file(.tooLarge(path: "\(path)/\(name)", limit: limit)) }
        guard try number(member.offset, 4) == 0x0403_4b50 else { throw damaged("'\(name)' is not where it should be") }
        let start = member.offset + 30 + (try number(member.offset + 26, 2)) + (try number(member.offset + 28, 2))
        guard start <= bytes.count, member.compressedSize <= bytes.count - start else {
            throw damaged("'\(name)' is cut short")
        }
        let content = try content(of: member, in: bytes[start..<start + member.compressedSize], name)
        let checksum = content.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, $0.count) }
        guard content.count == member.size, checksum == member.checksum else {
            throw damaged("'\(name)' does not have the length and the checksum that it should have")
        }
        return content
    }

    private func content(
        of member: Member, in compressed: ArraySlice<UInt8>, _ name: String
    ) throws(DatasetError) -> [UInt8] {
        switch member.method {
        case 0: return Array(compressed)
        case 8:
            var output: [UInt8] = []
            do throws(Inflater.Problem) {
                let consumed = try compressed.withUnsafeBufferPointer { (input) throws(Inflater.Problem) in
                    var inflater = Inflater(.none)
                    return try inflater.inflate(input, into: &output, limit: member.size)
                }
                guard consumed == compressed.count else { throw .damaged(offset: consumed, reason: "it ends early") }
            } catch {
                throw damaged("'\(name)' cannot be inflated")
            }
            return output
        case let method: throw damaged("'\(name)' is compressed by method \(method), but must be stored or deflated")
        }
    }

    /// What the records at the end of the file say of the directory.
    private func directory() throws(DatasetError) -> (count: Int, size: Int, offset: Int) {
        // The record has 22 bytes and a comment of up to 65,535.
        var end = bytes.count - 22
        while end >= max(0, bytes.count - 22 - 0xffff) {
            if try number(end, 4) == 0x0605_4b50, try number(end + 20, 2) == bytes.count - end - 22 { break }
            end -= 1
        }
        guard end >= max(0, bytes.count - 22 - 0xffff) else { throw damaged("the end of its directory is missing") }
        let fields = (try number(end + 10, 2), try number(end + 12, 4), try number(end + 16, 4))
        guard fields.0 == 0xffff || fields.1 == 0xffff_ffff || fields.2 == 0xffff_ffff, end >= 20,
            try number(end - 20, 4) == 0x0706_4b50
        else { return fields }
        let large = try number(end - 12, 8)
        guard try number(large, 4) == 0x0606_4b50 else { throw damaged("the end of its directory is missing") }
        return (try number(large + 32, 8), try number(large + 40, 8), try number(large + 48, 8))
    }

    /// Takes sizes and offset that do not fit 32 bits from the zip64 field of the extra fields.
    private func replaceSaturated(_ fields: inout [Int], from extra: Range<Int>) throws(DatasetError) {
        guard fields.contains(0xffff_ffff) else { return }
        var position = extra.lowerBound
        while position + 4 <= extra.upperBound {
            let end = position + 4 + (try number(position + 2, 2))
            guard end <= extra.upperBound else { break }
            guard try number(position, 2) == 1 else {
                position = end
                continue
            }
            position += 4
            for index in fields.indices where fields[index] == 0xffff_ffff {
                guard position + 8 <= end else { break }
                fields[index] = try number(position, 8)
                position += 8
            }
            return
        }
    }

    /// The little-endian number of so many bytes at an offset.
    private func number(_ offset: Int, _ size: Int) throws(DatasetError) -> Int {
        guard offset >= 0, offset <= bytes.count - size else { throw damaged("it is cut short") }
        let number = bytes[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // No file is so long.
        guard number <= Int.max / 4 else { throw damaged("it names a length of \(number) bytes") }
        return Int(number)
    }

    private func damaged(_ reason: String) -> DatasetError { .numPy(path: path, problem: .damagedArchive(reason)) }
}
