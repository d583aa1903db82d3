import Foundation
import PrivateTraining
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite struct AtomicFileTests {
    private static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func filesAreReplaced() throws {
        try Self.withFolder { folder in
            let file = folder.appending(path: "a")
            try AtomicFile.write(Data("old".utf8), to: file)
            try AtomicFile.write(Data("new".utf8), to: file, isConfidential: true)
            #expect(try String(contentsOf: file, encoding: .utf8) == "new")
            #expect(try Self.names(folder) == ["a"])
            let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func foldersAreReplacedWhole() throws {
        try Self.withFolder { folder in
            let target = folder.appending(path: "run/step")
            try AtomicFile.writeFolder(["a": Data("1".utf8), "b": Data()], to: target)
            try AtomicFile.writeFolder(["c": Data("2".utf8)], to: target)
            #expect(try Self.names(target) == ["c"])
            #expect(try Self.names(folder.appending(path: "run")) == ["step"])
        }
    }

    @Test func aMissingFolderIsAnError() throws {
        try Self.withFolder { folder in
            #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: folder.appending(path: "no/file")) }
            try Data().write(to: folder.appending(path: "file"))
            #expect(throws: FileError.self) {
                try AtomicFile.writeFolder([:], to: folder.appending(path: "file/folder"))
            }
            #expect(try Self.names(folder) == ["file"])
        }
    }

    /// A full disk, as far as a process can be told of one: files may not grow past 1 KiB.
    @Test func aFullDiskLeavesWhatWasThere() async {
        await #expect(processExitsWith: .success) {
            try Self.withFolder { folder in
                let file = folder.appending(path: "a")
                let target = folder.appending(path: "step")
                try AtomicFile.write(Data("old".utf8), to: file)
                try AtomicFile.writeFolder(["a": Data("old".utf8)], to: target)
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: 1024, rlim_max: 1024)
                #if canImport(Darwin)
                    precondition(setrlimit(RLIMIT_FSIZE, &limit) == 0)
                #else
                    precondition(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
                #endif
                let large = Data(count: 4096)
                #expect(throws: FileError.self) { try AtomicFile.write(large, to: file) }
                #expect(throws: FileError.self) {
                    try AtomicFile.writeFolder(["a": Data("new".utf8), "b": large], to: target)
                }
                #expect(try String(contentsOf: file, encoding: .utf8) == "old")
                #expect(try String(contentsOf: target.appending(path: "a"), encoding: .utf8) == "old")
                #expect(try Self.names(folder) == ["a", "step"])
                #expect(try Self.names(target) == ["a"])
            }
        }
    }
}
