import LinearAlgebra
import Testing

struct AlignedStorageTests {
    private func isAligned<Element>(_ pointer: UnsafePointer<Element>, to bytes: Int) -> Bool {
        UInt(bitPattern: pointer) % UInt(bytes) == 0
    }

    @Test(arguments: [0, 1, 15, 16, 17, 1000, (1 << 20) - 1])
    func blocksAreZeroAndAlignedForVectors(count: Int) {
        let storage = AlignedStorage<Float>(zeros: count)
        #expect(storage.count == count && storage.buffer.count == count)
        #expect(storage.buffer.allSatisfy { $0.bitPattern == 0 })
        #expect(isAligned(UnsafePointer(storage.base), to: 64))
        // Control: an element further, the alignment is gone.
        #expect(!isAligned(UnsafePointer(storage.base + 1), to: 64))
    }

    @Test func blocksFromFourMebibytesOnAreAlignedForHugePages() {
        let floats = AlignedStorage<Float>(zeros: 1 << 20)
        let doubles = AlignedStorage<Double>(zeros: (1 << 19) + 1)
        #expect(isAligned(UnsafePointer(floats.base), to: 2 << 20) && floats.buffer.allSatisfy { $0 == 0 })
        #expect(isAligned(UnsafePointer(doubles.base), to: 2 << 20) && doubles.buffer.allSatisfy { $0 == 0 })
        #expect(!isAligned(UnsafePointer(floats.base + 16), to: 2 << 20))
    }

    @Test func memoryThatWasUsedBeforeIsZeroAgain() {
        for _ in 0..<20 {
            let storage = AlignedStorage<Float>(zeros: 5000)
            #expect(storage.buffer.allSatisfy { $0.bitPattern == 0 })
            storage.buffer.update(repeating: 7)
            // Control: there was something to clear.
            #expect(!storage.buffer.allSatisfy { $0.bitPattern == 0 })
        }
    }

    @Test func copiesHaveMemoryOfTheirOwn() {
        let storage = AlignedStorage<Double>(zeros: 3)
        storage.base[1] = 5
        let copy = AlignedStorage(copying: storage)
        #expect(copy.base != storage.base && Array(copy.buffer) == [0, 5, 0])
        copy.base[1] = 6
        #expect(storage.base[1] == 5)
    }

    @Test func sizesThatNoMemoryHasTrap() async {
        await #expect(processExitsWith: .failure) { _ = AlignedStorage<Float>(zeros: -1) }
        await #expect(processExitsWith: .failure) { _ = AlignedStorage<Float>(zeros: Int.max / 2) }
        await #expect(processExitsWith: .failure) { _ = AlignedStorage<Float>(zeros: Int.max / 8) }
        // Control: an ordinary size does not.
        await #expect(processExitsWith: .success) { _ = AlignedStorage<Float>(zeros: 8) }
    }
}
