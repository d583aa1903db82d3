import LinearAlgebra

extension RowsFactor: RowwiseGridFactor {
    var mostNonzeroElements: Int { columns.count }

    func addGridSum(
        of examples: [WeightedExample], under scale: UnsafePointer<Float>?, to sum: UnsafeMutablePointer<Int32>
    ) {
        var rows = GridRows()
        for example in examples {
            rows.append(
                matrix.unsafeRow(example.example) + offset, factor: example.clipFactor, isNarrow: example.isNarrow)
        }
        let length = 4096
        TaskTeam.run(
            tasks: TaskTeam.pieces(of: columns.count, length: length), work: examples.count * columns.count
        ) { task, _ in
            rows.add(TaskTeam.piece(task, of: columns.count, length: length), under: scale, to: sum)
        }
    }
}

extension EmbeddingFactor: RowwiseGridFactor {
    var mostNonzeroElements: Int { min(columns.count, mostRows * width) }

    func addGridSum(
        of examples: [WeightedExample], under scale: UnsafePointer<Float>?, to sum: UnsafeMutablePointer<Int32>
    ) {
        let length = 64
        TaskTeam.run(
            tasks: TaskTeam.pieces(of: width, length: length), work: positionCount * width, scratchBytes: 12 * length
        ) { task, scratch in
            let part = TaskTeam.piece(task, of: width, length: length)
            for example in examples {
                forEachRow(of: example.example, part, scratch: scratch) { row, gradient in
                    let begin = row * width + part.lowerBound
                    GridRows.add(
                        gradient, factor: example.clipFactor, isNarrow: example.isNarrow, count: part.count,
                        under: scale.map { $0 + begin }, to: sum + begin)
                }
            }
        }
    }
}

extension SequenceFactor: RowwiseGridFactor {
    var mostNonzeroElements: Int { columns.count }

    func addGridSum(
        of examples: [WeightedExample], under scale: UnsafePointer<Float>?, to sum: UnsafeMutablePointer<Int32>
    ) {
        forEachTile(of: examples) { example, tile, product in
            for (place, row) in tile.rows.enumerated() {
                let begin = row * outputs + tile.columns.lowerBound
                GridRows.add(
                    product + place * tile.columns.count, factor: example.clipFactor, isNarrow: example.isNarrow,
                    count: tile.columns.count, under: scale.map { $0 + begin }, to: sum + begin)
            }
        }
    }
}
