import CPrivacyKernels

/// Multiplies a block by a number.
public struct ScaleOperation: UpdateOperation {
    let factor: Float

    /// Multiplies the updates of `block`.
    public func apply(to block: UpdateBlock) {
        Kernels.active.scale(factor, block.count, block.updates)
    }
}

/// Applies a formula with one, two or three moments to a block.
public struct MomentOperation: UpdateOperation {
    package typealias Pointer = UnsafeMutablePointer<Float>

    package enum Formula {
        case one(@convention(c) (UnsafePointer<dpk_constants>, Int, Pointer, Pointer) -> Void)
        case two(@convention(c) (UnsafePointer<dpk_constants>, Int, Pointer, Pointer, Pointer) -> Void)
        case three(@convention(c) (UnsafePointer<dpk_constants>, Int, Pointer, Pointer, Pointer, Pointer) -> Void)
    }

    let formula: Formula
    let constants: dpk_constants
    let first: Pointer
    var second: Pointer = BlockRun.nothing
    var third: Pointer = BlockRun.nothing

    /// Changes the updates of `block` and the moments that belong to it.
    public func apply(to block: UpdateBlock) {
        let (count, updates, offset) = (block.count, block.updates, block.offset)
        withUnsafePointer(to: constants) { constants in
            switch formula {
            case .one(let kernel): kernel(constants, count, updates, first + offset)
            case .two(let kernel): kernel(constants, count, updates, first + offset, second + offset)
            case .three(let kernel): kernel(constants, count, updates, first + offset, second + offset, third + offset)
            }
        }
    }
}

/// Divides a block by a vector.
struct DivideOperation: UpdateOperation {
    let divisor: UnsafePointer<Float>

    func apply(to block: UpdateBlock) {
        Kernels.active.divide(divisor + block.offset, block.count, block.updates)
    }
}

/// Adds a multiple of the parameters to a block.
public struct AddParametersOperation: UpdateOperation {
    let factor: Float

    /// Changes the updates of `block`.
    public func apply(to block: UpdateBlock) {
        Kernels.active.add_scaled(factor, block.parameters, block.count, block.updates)
    }
}

/// Leaves a block as it is.
public struct NoOperation: UpdateOperation {
    /// Does nothing.
    public func apply(to block: UpdateBlock) {}
}

/// Fills a block with zeros, also where it holds NaN.
public struct ZeroOperation: UpdateOperation {
    /// Overwrites the updates of `block`.
    public func apply(to block: UpdateBlock) {
        block.updates.update(repeating: 0, count: block.count)
    }
}
