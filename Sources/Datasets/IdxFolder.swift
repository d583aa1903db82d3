import Foundation

/// A folder with the four files of MNIST and its kin, each plain or with `.gz` after its name:
/// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`.
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
    /// Throws ``DatasetError`` as ``IdxFile`` does, and if a file is missing, images and labels are not as many, the
    /// images of the two sets differ in shape, or they are the same images, by a link or by a copy, compressed or not.
    public init(
        _ path: String, classCount: Int = 10, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        let train = try Self.read("train", in: path, classCount: classCount, limit: limit)
        let test = try Self.read("t10k", in: path, classCount: classCount, limit: limit)
        guard train.shape == test.shape else { throw .imageShapeMismatch(train: train.shape, test: test.shape) }
        // Whatever labels they have: a model's outputs for a training image tell of that image.
        guard train.dataset.inputs != test.dataset.inputs else {
            throw .testsOnTrainingImages(train: train.imagesPath, test: test.imagesPath)
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
                images: imagesPath, imageCount: images.pixels.rows, labels: labelsPath, labelCount: labels.count)
        }
        let dataset = InMemoryDataset(inputs: images.pixels, targets: .classes(labels, classCount: classCount))
        return (dataset, [images.height, images.width], imagesPath)
    }

    private static func find(_ name: String, in folder: String) throws(DatasetError) -> String {
        let path = (folder as NSString).appendingPathComponent(name)
        for candidate in [path, path + ".gz"] where FileManager.default.fileExists(atPath: candidate) {
            return candidate
        }
        throw .missingFile(folder: folder, name: name)
    }
}
