import Foundation
import Testing
import _TestSupport

@testable import PrivateTraining

@Suite struct FolderLockTests {
    @Test func aFolderIsLockedOnce() throws {
        try withTemporaryFolder { folder in
            let lock = try FolderLock(folder.path())
            #expect(throws: CheckpointError.inUse(path: folder.path())) { try FolderLock(folder.path()) }
            lock.release()
            try FolderLock(folder.path()).release()
        }
    }

    /// A forked child has copies of all descriptors until it begins its own program. They must not keep the lock.
    @Test func aCopyOfTheDescriptorDoesNotKeepTheLock() throws {
        try withTemporaryFolder { folder in
            let lock = try FolderLock(folder.path())
            let copy = dup(lock.descriptor)
            defer { close(copy) }
            lock.release()
            try FolderLock(folder.path()).release()
        }
    }
}
