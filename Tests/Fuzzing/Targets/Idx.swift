import Datasets

extension FuzzTarget {
    /// Images, and labels, plain or gzip.
    static let idx = FuzzTarget(name: "idx") { bytes in
        let path = ScratchFile.holding(bytes)
        do {
            let images = try IdxFile.readImages(path, limit: fileLimit)
            expect(images.pixels.columns == images.height * images.width, "The images' shape is not their pixels'.")
        } catch DatasetError.wrongIdxRank {
            _ = try IdxFile.readLabels(path, classCount: 10, limit: fileLimit)
        }
    }
}
