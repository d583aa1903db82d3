import Datasets
import Foundation
import Testing

@Suite struct FileContentsTests {
    private let folder: TemporaryFolder
    private let text = Array("The quick brown fox jumps over the lazy dog. ".utf8)

    init() throws { folder = try TemporaryFolder() }

    @Test func readsPlainFilesAndInflatesOthers() throws {
        #expect(try FileContents.readInflating(folder.write(text, "plain")) == text)
        #expect(try FileContents.readInflating(folder.write(gzipped(text), "small.gz")) == text)
        #expect(try FileContents.readInflating(folder.write(gzipped([]), "empty.gz")) == [])
        // More than one chunk each way, and hard to compress.
        var generator = SystemRandomNumberGenerator()
        let large = (0..<1_000_000).map { _ in UInt8.random(in: 0...63, using: &generator) }
        #expect(try FileContents.readInflating(folder.write(gzipped(large), "large.gz")) == large)
        #expect(try FileContents.read(folder.write(large, "large")) == large)
    }

    @Test func membersFollowEachOther() throws {
        let path = try folder.write(gzipped(text) + gzipped([]) + gzipped(text), "members.gz")
        #expect(try FileContents.readInflating(path) == text + text)
    }

    /// `gzip -t` accepts zeros after the last member, and nothing else there.
    @Test func zerosMayFollowTheLastMember() throws {
        let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }
        for count in [1, 2, 511, 300_000] {
            let one = try folder.write(gzipped(text) + zeros(count), "padded.gz")
            #expect(try FileContents.readInflating(one) == text)
            let two = try folder.write(gzipped(text) + gzipped(text) + zeros(count), "padded.gz")
            #expect(try FileContents.readInflating(two) == text + text)
        }
        let member = gzipped(text)
        for (rest, place) in [([0, 0, 7], 2), ([0] + member, 1), (zeros(300_000) + [1, 0], 300_000)] {
            let path = try folder.write(member + rest, "refused.gz")
            #expect(
                throws: FileError.damagedGzip(
                    path: path, offset: member.count + place, reason: "data after the padding")
            ) { try FileContents.readInflating(path) }
        }
    }

    @Test func everyTruncationIsFound() throws {
        let whole = gzipped(text)
        for count in 2..<whole.count {
            let path = try folder.write(whole.prefix(count), "cut.gz")
            #expect(throws: FileError.truncatedGzip(path: path), "\(count) bytes") {
                try FileContents.readInflating(path)
            }
        }
    }

    @Test func damageIsFound() throws {
        let whole = gzipped(text)
        // The method, a byte of the text, the checksum, the length. The time and the system's number are not checked by
        // anyone.
        for place in [2, 15, whole.count - 8, whole.count - 1] {
            var damaged = whole
            damaged[place] ^= 0x55
            let path = try folder.write(damaged, "damaged.gz")
            let error = #expect(throws: FileError.self) { try FileContents.readInflating(path) }
            guard case .damagedGzip = error else {
                Issue.record("Byte \(place): \(String(describing: error))")
                continue
            }
        }
        let appended = try folder.write(whole + [1, 2, 3], "appended.gz")
        let error = #expect(throws: FileError.self) { try FileContents.readInflating(appended) }
        guard case .damagedGzip(appended, whole.count..., _) = error else {
            Issue.record("Appended: \(String(describing: error))")
            return
        }
    }

    @Test func theLimitHoldsForWhatIsInflated() throws {
        // 64 MB in 64 KB.
        let bomb = try folder.write(gzipped(repeatElement(0, count: 64 << 20)), "bomb.gz")
        let limit = 1 << 20
        #expect(throws: FileError.tooLarge(path: bomb, limit: limit)) {
            try FileContents.readInflating(bomb, limit: limit)
        }
        let exact = try folder.write(gzipped(text), "exact.gz")
        let small = try folder.write(gzipped(repeatElement(7, count: 200)), "small.gz")
        #expect(throws: FileError.tooLarge(path: small, limit: 199)) {
            try FileContents.readInflating(small, limit: 199)
        }
        #expect(try FileContents.readInflating(small, limit: 200).count == 200)
        #expect(try FileContents.readInflating(exact, limit: gzipped(text).count).count == text.count)
    }

    @Test func theLimitHoldsForTheFile() throws {
        let path = try folder.write(text, "plain")
        #expect(throws: FileError.tooLarge(path: path, limit: 44)) { try FileContents.read(path, limit: 44) }
        #expect(try FileContents.read(path, limit: 45).count == 45)
        // It has no length to look at beforehand, and no end.
        #expect(throws: FileError.tooLarge(path: "/dev/zero", limit: 1 << 20)) {
            try FileContents.read("/dev/zero", limit: 1 << 20)
        }
    }

    @Test func whatCannotBeReadIsNamed() throws {
        #expect(throws: FileError.cannotRead(path: folder("none"), code: ENOENT)) {
            try FileContents.read(folder("none"))
        }
        #expect(throws: FileError.cannotRead(path: folder.path, code: EISDIR)) { try FileContents.read(folder.path) }
        #expect(FileError.cannotRead(path: "x", code: ENOENT).description.contains("'x'"))
    }

    /// One file under several names; a copy is another file.
    @Test func filesAreToldByTheirInode() throws {
        let file = try folder.write("a", "file")
        let copy = try folder.write("a", "copy")
        try FileManager.default.linkItem(atPath: file, toPath: folder("hard"))
        try FileManager.default.createSymbolicLink(atPath: folder("soft"), withDestinationPath: folder("hard"))
        for path in [file, folder("./file"), folder("hard"), folder("soft")] {
            #expect(FileContents.isSameFile(file, path))
        }
        #expect(!FileContents.isSameFile(file, copy))
        #expect(!FileContents.isSameFile(folder("none"), folder("none")))
    }
}
