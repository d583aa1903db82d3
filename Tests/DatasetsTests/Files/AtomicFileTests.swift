import Datasets
import Foundation
import Testing

@Suite struct AtomicFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func writesAndReplaces() throws {
        let path = folder("model")
        try AtomicFile.write(Data([1, 2, 3]), to: path)
        #expect(try FileContents.read(path) == [1, 2, 3])
        try AtomicFile.write(Data(), to: path)
        #expect(try FileContents.read(path) == [])
        #expect(try folder.names == ["model"])
    }

    @Test func permissionsOfAReplacedFileStay() throws {
        let path = try folder.write([1], "model")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        try AtomicFile.write(Data([2]), to: path)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
    }

    @Test func aLinkIsFollowed() throws {
        let path = try folder.write([1], "model")
        try FileManager.default.createSymbolicLink(atPath: folder("latest"), withDestinationPath: path)
        try AtomicFile.write(Data([2]), to: folder("latest"))
        #expect(try FileContents.read(path) == [2])
        #expect(try folder.names == ["latest", "model"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder("latest")) == path)
    }

    @Test func aMissingFolderIsAnError() {
        let path = folder("none/model")
        #expect(throws: FileError.cannotWrite(path: path, step: .create, code: ENOENT)) {
            try AtomicFile.write(Data([1]), to: path)
        }
    }

    @Test func onlyFilesAreReplaced() throws {
        #expect(throws: FileError.notARegularFile(path: folder.path)) {
            try AtomicFile.write(Data([1]), to: folder.path)
        }
        #expect(throws: FileError.notARegularFile(path: "/dev/null")) {
            try AtomicFile.write(Data([1]), to: "/dev/null")
        }
    }

    /// The superuser may write everywhere, and so the test drops to another user in a process of its own.
    @Test func aFolderWithoutPermissionIsAnError() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = try folder.write([1], "model")
            try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
            defer {
                _ = seteuid(0)
                try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
            }
            if geteuid() == 0 { #expect(seteuid(65534) == 0) }
            #expect(throws: FileError.cannotWrite(path: path, step: .create, code: EACCES)) {
                try AtomicFile.write(Data([2]), to: path)
            }
            #expect(try FileContents.read(path) == [1])
            #expect(try folder.names == ["model"])
        }
    }

    /// A limit on the size of files stands for a disk that is full: the write fails half-way either way.
    @Test func aFullDiskLeavesTheOldFileAndNothingElse() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            let path = try folder.write([1, 2, 3], "model")
            // Without this the signal would end the process instead of the write.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            #if canImport(Darwin)
                #expect(setrlimit(RLIMIT_FSIZE, &limit) == 0)
            #else
                #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            #endif
            #expect(throws: FileError.cannotWrite(path: path, step: .write, code: EFBIG)) {
                try AtomicFile.write(Data(count: 3 << 20), to: path)
            }
            #expect(try FileContents.read(path) == [1, 2, 3])
            #expect(try folder.names == ["model"])
            // What fits below the limit is still written.
            try AtomicFile.write(Data(count: 1 << 19), to: path)
            #expect(try FileContents.read(path).count == 1 << 19)
        }
    }

    /// An exit test that passes whatever happens would prove nothing.
    @Test func exitTestsSeeFailures() async {
        await #expect(processExitsWith: .failure) {
            let folder = try TemporaryFolder()
            try AtomicFile.write(Data([1]), to: folder("none/model"))
        }
    }

    /// A secret is its owner's alone, also where the file before it was not.
    @Test func aSecretIsOpenToItsOwnerAlone() throws {
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        let open = try folder.write("old", "open")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
        for path in [open, folder("new")] {
            try AtomicFile.writeSecret(Data("secret".utf8), to: path)
            #expect(try mode(path) == 0o600)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "secret")
        }
        // Control: without the word, a file stays as open as it was.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
        try AtomicFile.write(Data("public".utf8), to: open)
        #expect(try mode(open) == 0o644)
    }
}
