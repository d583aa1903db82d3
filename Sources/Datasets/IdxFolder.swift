import Foundation

/// A folder with the four files of MNIST and its kin: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
/// `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`.
///
/// Each may have a full stop before `idx`, as in `train-images.idx3-ubyte`, and may be plain or have `.gz` after its
/// name.
public struct IdxFolder: Sendable {
    /// The training images, scaled to [0, 1], and their labels.
    public let train: InMemoryDataset
    /// The test images, scaled to [0, 1], and their labels.
    public let test: InMemoryDataset
    /// The number of rows of an image.
    public let height: Int
    /// The number of columns of an image.
    public let width: Int

    /// Reads the folder at `path`; where a file is there both plain and compressed, the plain one.
    ///
    /// Labels are in 0..<`classCount`. That number is public: it is not taken from the data, where one person could
    /// decide about it.
    ///
    /// Throws ``DatasetError`` as ``IdxFile`` does, and if a file is missing, images and labels are not as many, the
    /// images of the two sets differ in shape, or they are the same images, by a link or by a copy, compressed or not.
    public init(
        _ path: String, classCount: Int = 10, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        let train = try Self.read("train", in: path, classCount: classCount, limit: limit)
        let test = try Self.read("t10k", in: path, classCount: classCount, limit: limit)
        guard train.shape == test.shape else { throw .exampleShapeMismatch(train: train.shape, test: test.shape) }
        // Whatever labels they have: a model's outputs for a training image tell of that image.
        guard train.dataset.inputs != test.dataset.inputs else {
            throw .testsOnTrainingExamples(train: train.imagesPath, test: test.imagesPath)
        }
        self.train = train.dataset
        self.test = test.dataset
        height = train.shape[0]
        width = train.shape[1]
    }

    private static func read(
        _ prefix: String, in folder: String, classCount: Int, limit: Int
    ) throws(DatasetError) -> (dataset: InMemoryDataset, shape: [Int], imagesPath: String) {
        let imagesPath = try find("\(prefix)-images-idx3-ubyte", in: folder)
        let labelsPath = try find("\(prefix)-labels-idx1-ubyte", in: folder)
        let labels = try IdxFile.readLabels(labelsPath, classCount: classCount, limit: limit)
        let images = try IdxFile.readImages(imagesPath, limit: limit)
        guard images.pixels.rows == labels.count else {
            throw .countMismatch(
                examples: imagesPath, exampleCount: images.pixels.rows, labels: labelsPath, labelCount: labels.count)
        }
        let dataset = InMemoryDataset(inputs: images.pixels, targets: .classes(labels, classCount: classCount))
        return (dataset, [images.height, images.width], imagesPath)
    }

    /// The file of that name, in one of its spellings.
    private static func find(_ name: String, in folder: String) throws(DatasetError) -> String {
        let names = [name, name.replacing("-idx", with: ".idx")].flatMap { [$0, $0 + ".gz"] }
        for name in names {
            let path = (folder as NSString).appendingPathComponent(name)
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw .missingFile(folder: folder, names: names)
    }
}
