import Testing

/// The fences are what other tests rely on to see an access out of bounds, so they are tested themselves.
struct FencedBufferTests {
    @Test func insideIsReadableAndWritable() {
        for fence in Fence.allCases {
            for count in [0, 1, 7, 1024, 1025] {
                let buffer = FencedBuffer((0..<count).map(Float.init), fence: fence)
                if count > 0 { buffer.base[count - 1] = -1 }
                #expect(buffer.elements == (0..<count).map { $0 == count - 1 ? -1 : Float($0) })
            }
        }
    }

    @Test func oneBeyondTheEndCrashes() async {
        await #expect(processExitsWith: .failure) {
            let buffer = FencedBuffer<Float>([1, 2, 3])
            withExtendedLifetime(buffer) { print(buffer.base[3]) }
        }
        await #expect(processExitsWith: .failure) {
            let buffer = FencedBuffer<Float>([1, 2, 3], fence: .before)
            withExtendedLifetime(buffer) { print(buffer.base[-1]) }
        }
        // Control: within the fences, nothing does.
        await #expect(processExitsWith: .success) {
            let buffer = FencedBuffer<Float>([1, 2, 3])
            withExtendedLifetime(buffer) { print(buffer.base[2], buffer.base[-1]) }
        }
    }
}
