import Foundation
import Testing

@testable import Datasets

@Suite struct SeekableFileTests {
    private let folder: TemporaryFolder
    private let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    init() throws { folder = try TemporaryFolder() }

    @Test func partsAreReadWhereTheyLie() throws {
        let file = try SeekableFile(folder.write(bytes, "f"), limit: 1000)
        #expect(file.count == 1000)
        for (offset, count) in [(0, 1000), (0, 0), (1, 5), (998, 2), (998, 5), (1000, 3), (2000, 1)] {
            #expect(try file.bytes(at: offset, count: count) == Array(bytes.dropFirst(offset).prefix(count)))
        }
    }

    /// A pipe is read once, and its parts then as a file's.
    @Test func aPipeIsReadToItsEnd() throws {
        let path = folder("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let bytes = bytes
        let writer = Thread {
            FileHandle(forWritingAtPath: path)?.write(Data(bytes))
        }
        writer.start()
        let file = try SeekableFile(path, limit: 1000)
        #expect(file.count == 1000)
        #expect(try file.bytes(at: 990, count: 20) == Array(bytes.suffix(10)))
        #expect(try file.bytes(at: 3, count: 2) == [21, 28])
    }

    @Test func whatCannotBeReadIsNamed() throws {
        let path = folder("none")
        let missing = #expect(throws: FileError.self) { _ = try SeekableFile(path, limit: 10).count }
        #expect(missing == .cannotRead(path: path, code: ENOENT))
        let folderError = #expect(throws: FileError.self) { _ = try SeekableFile(folder.path, limit: 1 << 20).count }
        #expect(folderError == .cannotRead(path: folder.path, code: EISDIR))
        let large = try folder.write(bytes, "large")
        let tooLarge = #expect(throws: FileError.self) { _ = try SeekableFile(large, limit: 999).count }
        #expect(tooLarge == .tooLarge(path: large, limit: 999))
    }

    /// A file that somebody cuts short while it is open is an error, and no zeros.
    @Test func aFileThatIsCutShortIsFound() throws {
        let header = #"{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}"#
        let path = try folder.write(
            [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + header.utf8 + Array(repeating: 1, count: 8), "f")
        let file = try SafeTensorsFile(path, limit: 1000)
        let tensor = file.header.tensors[0]
        #expect(truncate(path, off_t(8 + header.utf8.count + 5)) == 0)
        var values = [Float](repeating: 0, count: 4)
        var error: FileError?
        values.withUnsafeMutableBufferPointer { target in
            do throws(FileError) { try file.read(tensor, into: target) } catch let problem { error = problem }
        }
        #expect(
            error == .tensors(path: path, problem: .outOfRange(name: "a", begin: 0, end: 8, dataBytes: 5)))
    }
}
