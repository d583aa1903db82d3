import Requirements

extension TreeMask {
    /// The layout of the selected leaves alone, in their order and under their paths.
    public var selectedLayout: TreeLayout {
        do throws(PyTreeError) {
            return try TreeLayout(
                zip(layout.leaves, selection).filter(\.1).map { (path: $0.0.path, shape: $0.0.shape) })
        } catch {
            // Leaves of a valid layout stay distinct, and those of a subtree next to each other, when some are left
            // out.
            fail(error.description)
        }
    }

    /// The values of the selected leaves, in ``selectedLayout``. Traps unless `vector` has the mask's layout.
    public func selected(from vector: ParameterVector) -> ParameterVector {
        checkFits(vector)
        var part = ParameterVector(zeros: selectedLayout)
        vector.withUnsafeValues { values in
            part.withUnsafeMutableValues { part in
                forEachRun { source, target in
                    _ = UnsafeMutableBufferPointer(rebasing: part[target..<target + source.count])
                        .update(fromContentsOf: UnsafeBufferPointer(rebasing: values[source]))
                }
            }
        }
        return part
    }

    /// Overwrites the selected leaves of `vector` with the values of `part`, in ``selectedLayout``; the others stay.
    ///
    /// Traps unless both fit the mask.
    public func write(_ part: ParameterVector, to vector: inout ParameterVector) {
        checkFits(vector)
        require(
            part.count == selectedCount,
            "\(part.count) values were given for \(selectedCount) selected ones: give a vector in the selected layout.")
        part.withUnsafeValues { part in
            vector.withUnsafeMutableValues { values in
                forEachRun { target, source in
                    _ = UnsafeMutableBufferPointer(rebasing: values[target])
                        .update(
                            fromContentsOf: UnsafeBufferPointer(rebasing: part[source..<source + target.count]))
                }
            }
        }
    }

    private func checkFits(_ vector: ParameterVector) {
        require(
            vector.layout == layout, "A vector of layout\n\(vector.layout)\ndoes not fit a mask of layout\n\(layout)")
    }

    /// Calls `body` with each run of selected columns, and where it begins among the selected ones.
    private func forEachRun(_ body: (Range<Int>, Int) -> Void) {
        var begin = 0
        for columns in selectedColumns {
            body(columns, begin)
            begin += columns.count
        }
    }
}
