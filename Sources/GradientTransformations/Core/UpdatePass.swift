import LinearAlgebra
import PyTrees
import Requirements

/// A step in progress: the updates, the parameters, and the operations that are pending on each block of updates.
///
/// Links append operations. They are applied in order, block by block, when a link needs the whole vector or the chain
/// ends. A run of elementwise links is therefore one trip through memory, however the chain is nested.
public struct UpdatePass: ~Copyable {
    struct Pending {
        let operation: any UpdateOperation
        let domain: UpdateDomain
    }

    private var updates: ParameterVector
    private var parameters: ParameterVector
    private var pending: [Pending] = []
    private(set) var domain: UpdateDomain
    private let part: UpdatePart?

    /// Stands in for a vector that was moved into a pass, so that it has one owner and changes in place.
    private static let placeholder: ParameterVector = {
        do throws(PyTreeError) {
            return ParameterVector(zeros: try TreeLayout([]))
        } catch {
            fail(error.description)
        }
    }()

    private init(updates: consuming ParameterVector, parameters: consuming ParameterVector, part: UpdatePart? = nil) {
        domain = UpdateDomain(whole: updates.layout)
        self.part = part
        self.updates = updates
        self.parameters = parameters
    }

    /// The layout of the updates that the next operation sees: all leaves, or those of a mask; of one rank's share of
    /// the columns, a leaf that is the share.
    public var layout: TreeLayout {
        if let part, domain.isWhole { part.layout } else { domain.layout }
    }

    private var columns: Range<Int> { part?.columns ?? 0..<updates.count }

    /// Adds what a link does to the updates, after what is pending.
    public mutating func append(_ operation: some UpdateOperation) {
        pending.append(Pending(operation: operation, domain: domain))
    }

    /// Applies what is pending to the updates.
    public mutating func finishPending() {
        guard !pending.isEmpty else { return }
        preconditionSameLayouts()
        let (operations, columns) = (pending, columns)
        pending = []
        parameters.withUnsafeValues { parameters in
            updates.withUnsafeMutableValues { updates in
                BlockRun(operations: operations, updates: updates, parameters: parameters, columns: columns)
                    .runInPlace()
            }
        }
    }

    /// Applies what is pending and calls `body` with the whole vectors of updates and parameters.
    ///
    /// Inside a mask, or of one rank's share of the columns, they are copies, allocated for this call; otherwise they
    /// are not copied.
    public mutating func withVectors(_ body: (inout ParameterVector, ParameterVector) -> Void) {
        finishPending()
        if domain.isWhole, part == nil { return body(&updates, parameters) }
        let domain = domain.isWhole ? part.map(domain.restricted) ?? domain : domain
        var selected = domain.selected(from: updates)
        body(&selected, domain.selected(from: parameters))
        domain.write(selected, to: &updates)
    }

    /// Adds what a link without state does to the leaves that `mask` selects.
    mutating func append(_ operation: some UpdateOperation, mask: TreeMask) {
        // The leaves' own layout is for those who look for their state in it, and is costly to make.
        withMask(mask, layout: domain.layout) { $0.append(operation) }
    }

    /// Calls `body` while operations that are appended see only the leaves that `mask` selects, as a vector of
    /// `layout`.
    mutating func withMask(_ mask: TreeMask, layout: TreeLayout, _ body: (inout UpdatePass) -> Void) {
        require(
            mask.layout == domain.layout,
            "A mask of the layout\n\(mask.layout)\ndoes not fit updates of layout\n\(domain.layout)")
        let outer = domain
        domain = outer.restricted(to: mask, layout: layout)
        body(&self)
        domain = outer
    }

    /// Calls `body` under the domain of before a mask.
    mutating func withDomain(_ inner: UpdateDomain, _ body: (inout UpdatePass) -> Void) {
        let outer = domain
        domain = inner
        body(&self)
        domain = outer
    }

    /// Applies what is pending and returns the squared norm of each leaf of the updates, in Float64.
    mutating func squaredUpdateNorms() -> [Double] {
        requireWhole()
        finishPending()
        return updates.withUnsafeValues { SquaredNorms.ofLeaves(of: domain, in: $0) }
    }

    /// The squared norm of each leaf of the parameters, in Float64.
    func squaredParameterNorms() -> [Double] {
        requireWhole()
        return parameters.withUnsafeValues { SquaredNorms.ofLeaves(of: domain, in: $0) }
    }

    /// Applies what is pending and adds the result to the parameters, without writing the updates themselves.
    package mutating func addToParameters() {
        preconditionSameLayouts()
        let (operations, columns) = (pending, columns)
        pending = []
        updates.withUnsafeValues { updates in
            parameters.withUnsafeMutableValues { parameters in
                BlockRun(operations: operations, updates: updates, parameters: parameters, columns: columns)
                    .runIntoParameters()
            }
        }
    }

    package static func addToParameters(_ pass: inout UpdatePass) { pass.addToParameters() }

    package mutating func withDivision(by divisor: ParameterVector, _ body: (inout UpdatePass) -> Void) {
        require(
            divisor.layout == layout,
            "A divisor of layout\n\(divisor.layout)\ncannot divide a gradient of layout\n\(layout)")
        divisor.withUnsafeValues { divisor in
            append(DivideOperation(divisor: divisor.baseAddress ?? UnsafePointer(BlockRun.nothing)))
            body(&self)
        }
    }

    private func requireWhole() {
        require(
            part == nil,
            "Norms of leaves were asked for of the columns \(columns) alone: what needs them is not element-wise.")
    }

    private func preconditionSameLayouts() {
        require(
            updates.layout == parameters.layout,
            "Updates of layout\n\(updates.layout)\ndo not fit parameters of layout\n\(parameters.layout)")
    }

    /// Calls `body` with a pass over `updates`, which it changes in place.
    package static func update(
        _ updates: inout ParameterVector, parameters: ParameterVector, _ body: (inout UpdatePass) -> Void
    ) {
        var pass = UpdatePass(updates: exchange(&updates, placeholder), parameters: parameters)
        body(&pass)
        updates = pass.updates
    }

    /// Calls `body` with a pass that may change both vectors in place; with `part`, only there, and by states that are
    /// kept for it.
    package static func step(
        _ updates: inout ParameterVector, parameters: inout ParameterVector, part: UpdatePart? = nil,
        _ body: (inout UpdatePass) -> Void
    ) {
        var pass = UpdatePass(
            updates: exchange(&updates, placeholder), parameters: exchange(&parameters, placeholder), part: part)
        body(&pass)
        updates = pass.updates
        parameters = pass.parameters
    }
}

private func exchange(_ value: inout ParameterVector, _ other: ParameterVector) -> ParameterVector {
    var other = other
    swap(&value, &other)
    return other
}
