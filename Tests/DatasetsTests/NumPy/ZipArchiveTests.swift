import Foundation
import Testing

@testable import Datasets

@Suite struct ZipArchiveTests {
    private static let members = [
        ("a.npy", Array("first".utf8)), ("folder/b", []), ("c", [UInt8](repeating: 7, count: 99)),
    ]

    private func damage(_ bytes: [UInt8], read name: String? = nil, limit: Int = 1 << 20) -> String? {
        do throws(DatasetError) {
            let archive = try ZipArchive(bytes, path: "z")
            if let name { _ = try archive.read(name, limit: limit) }
            return nil
        } catch {
            guard case .numPy("z", .damagedArchive(let reason)) = error else { return "\(error)" }
            return reason
        }
    }

    @Test(arguments: [false, true])
    func membersAreRead(isLarge: Bool) throws {
        let bytes = zipped(Self.members, isLarge: isLarge)
        #expect(ZipArchive.isZip(bytes))
        let archive = try ZipArchive(bytes, path: "z")
        #expect(archive.names == ["a.npy", "c", "folder/b"])
        for (name, content) in Self.members { #expect(try archive.read(name, limit: 99) == content) }
        #expect(try archive.read("d", limit: 99) == nil)
        #expect(throws: DatasetError.file(.tooLarge(path: "z/c", limit: 98))) { try archive.read("c", limit: 98) }
    }

    @Test func aCommentMayFollow() throws {
        var bytes = zipped(Self.members)
        bytes.replaceSubrange(bytes.count - 2..<bytes.count, with: littleEndian(40, 2))
        bytes += Array(repeating: 0x50, count: 40)
        #expect(try ZipArchive(bytes, path: "z").names.count == 3)
        #expect(damage(bytes + [0]) != nil)
    }

    /// Whatever byte is another, the content is the same, or an error is thrown, or the member is not found: it never
    /// traps, and never gives other content.
    @Test(arguments: [false, true])
    func everyDamagedByteIsHarmless(isLarge: Bool) throws {
        for whole in [zipped(Self.members, isLarge: isLarge), Array(NumPyFileTests.compressed)] {
            let archive = try ZipArchive(whole, path: "z")
            let content = try archive.names.map { try archive.read($0, limit: 1 << 20) }
            for place in whole.indices {
                for mask in [0x01, 0x80, 0xff] as [UInt8] {
                    var bytes = whole
                    bytes[place] ^= mask
                    guard let damaged = try? ZipArchive(bytes, path: "z") else { continue }
                    for (name, expected) in zip(archive.names, content) {
                        guard let found = try? damaged.read(name, limit: 1 << 20) else { continue }
                        #expect(found == expected, "\(name), byte \(place)")
                    }
                }
            }
        }
    }

    @Test func everyTruncationIsFound() throws {
        for whole in [zipped(Self.members), zipped(Self.members, isLarge: true), Array(NumPyFileTests.stored)] {
            for count in 0..<whole.count { #expect(damage(Array(whole.prefix(count))) != nil, "\(count)") }
        }
    }

    @Test func hostileDirectoriesAreRefused() throws {
        #expect(damage(zipped([("a", [1]), ("a", [2])])) == "it has 'a' twice")
        let whole = zipped([("a", [1, 2, 3])])
        // The directory's record: 30 + 1 bytes of header and 3 of content come before it.
        let directory = 34
        func changed(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
            var result = whole
            result.replaceSubrange(directory + offset..<directory + offset + bytes.count, with: bytes)
            return result
        }
        #expect(damage(changed(8, [1])) == "'a' is encrypted")
        #expect(damage(changed(10, [9]), read: "a") == "'a' is compressed by method 9, but must be stored or deflated")
        #expect(damage(changed(10, [8]), read: "a") == "'a' cannot be inflated")
        let mismatch = "'a' does not have the length and the checksum that it should have"
        #expect(damage(changed(24, [2]), read: "a") == mismatch)
        #expect(damage(changed(20, [2]), read: "a") == mismatch)
        #expect(damage(changed(20, [200]), read: "a") == "'a' is cut short")
        #expect(damage(changed(42, [1]), read: "a") == "'a' is not where it should be")
        #expect(damage(changed(42, littleEndian(0xffff_fff0, 4)), read: "a") == "it is cut short")
        // The control.
        #expect(damage(changed(0, []), read: "a") == nil)
    }

    /// A member inflates to no more than its directory says, whatever it holds.
    @Test func bombsAreRefused() throws {
        // Raw deflate of a million zeros, from a gzip member without a name: 10 bytes before, 8 after.
        let deflated = Array(gzipped(repeatElement(0, count: 1_000_000)).dropFirst(10).dropLast(8))
        func archive(size: Int) -> [UInt8] {
            var bytes = zipped([("a", deflated)])
            let directory = 31 + deflated.count
            bytes[directory + 10] = 8
            bytes.replaceSubrange(directory + 24..<directory + 28, with: littleEndian(size, 4))
            let checksum = Int(crc(of: [UInt8](repeating: 0, count: 1_000_000)))
            bytes.replaceSubrange(directory + 16..<directory + 20, with: littleEndian(checksum, 4))
            return bytes
        }
        #expect(damage(archive(size: 1000), read: "a") == "'a' cannot be inflated")
        #expect(damage(archive(size: 1_000_001), read: "a") != nil)
        #expect(damage(archive(size: 1_000_000), read: "a", limit: 999_999)?.contains("999999") == true)
        #expect(damage(archive(size: 1_000_000), read: "a") == nil)
    }

    /// CRC-32 by its definition.
    private func crc(of bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
        }
    }
}
