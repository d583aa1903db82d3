#if MPI
    import COpenMPI
    import Foundation
    public import PrivacyMechanisms
    import Requirements

    extension Ranks {
        /// The ranks that `mpirun` started this program as; nil for a program that was started alone, or as the only
        /// one.
        ///
        /// Initialises MPI at the first call, and finalises it when the process exits. Only the thread that asks for
        /// the ranks may use them.
        ///
        /// - Warning: what ranks send each other is as secret as the data, and is not encrypted: un-noised sums, and
        ///   the key of the batches. Use hosts and an interconnect that are trusted with the data themselves.
        public static func launched() -> Ranks? {
            let environment = ProcessInfo.processInfo.environment
            guard environment["OMPI_COMM_WORLD_SIZE"] != nil || environment["PMIX_RANK"] != nil else { return nil }
            let world = MPICollective.world
            return world.count > 1 ? Ranks(world) : nil
        }
    }

    /// All ranks of `mpirun`, over Open MPI.
    private struct MPICollective: Collective {
        let rank: Int
        let count: Int

        static let world: MPICollective = {
            var provided: Int32 = 0
            // Calls come from one thread; the library's own threads make none.
            check(MPI_Init_thread(nil, nil, dpm_funneled(), &provided), "MPI_Init_thread")
            atexit { MPI_Finalize() }
            require(
                provided >= dpm_funneled(),
                "This Open MPI was built without threads (level \(provided)), but ranks compute on several: install "
                    + "one that has MPI_THREAD_FUNNELED.")
            var (rank, count): (Int32, Int32) = (0, 0)
            check(MPI_Comm_rank(dpm_world(), &rank), "MPI_Comm_rank")
            check(MPI_Comm_size(dpm_world(), &count), "MPI_Comm_size")
            return MPICollective(rank: Int(rank), count: Int(count))
        }()

        /// Every pair of ranks exchanges what one has of the other's share, in pieces that stay in cache until they are
        /// added: as many bytes as any algorithm moves, and no memory that grows with the numbers, which
        /// MPI_Reduce_scatter allocates anew in each call.
        func reduceScatter(_ numbers: UnsafeMutableBufferPointer<Int64>, shares: [Range<Int>]) {
            guard let base = numbers.baseAddress else { return }
            let own = shares[rank]
            let size = MemoryLayout<Int64>.size
            withUnsafeTemporaryAllocation(of: Int64.self, capacity: min(Self.pieceLength, own.count)) { received in
                forEachExchange(length: Self.pieceLength, shares) { piece in
                    exchange(
                        UnsafeRawBufferPointer(start: base + piece.sent.lowerBound, count: piece.sent.count * size),
                        to: piece.to,
                        UnsafeMutableRawBufferPointer(start: received.baseAddress, count: piece.received.count * size),
                        from: piece.from)
                    let sums = base + piece.received.lowerBound
                    for place in 0..<piece.received.count { sums[place] &+= received[place] }
                } received: { _ in
                    own
                }
            }
            base.update(from: base + own.lowerBound, count: own.count)
        }

        /// Few bytes by MPI's own means, which take fewer messages; many by pairs of ranks, without copies.
        func allGather(_ bytes: UnsafeMutableRawBufferPointer, shares: [Range<Int>]) {
            guard bytes.count <= 1 << 16 else {
                return forEachExchange(length: Self.mostBytes, shares.map { _ in shares[rank] }) { piece in
                    exchange(
                        UnsafeRawBufferPointer(rebasing: bytes[piece.sent]), to: piece.to,
                        UnsafeMutableRawBufferPointer(rebasing: bytes[piece.received]), from: piece.from)
                } received: { from in
                    shares[from]
                }
            }
            let (counts, places) = (shares.map { Int32($0.count) }, shares.map { Int32($0.lowerBound) })
            Self.check(
                MPI_Allgatherv(
                    dpm_in_place(), 0, dpm_byte(), bytes.baseAddress, counts, places, dpm_byte(), dpm_world()),
                "MPI_Allgatherv")
        }

        func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
            for begin in stride(from: 0, to: bytes.count, by: Self.mostBytes) {
                let piece = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[begin..<min(begin + Self.mostBytes, bytes.count)])
                Self.check(
                    MPI_Bcast(piece.baseAddress, Int32(piece.count), dpm_byte(), Int32(root), dpm_world()),
                    "MPI_Bcast")
            }
        }

        func abort() -> Never {
            MPI_Abort(dpm_world(), 1)
            fail("MPI_Abort came back.")
        }

        /// Numbers that are received at once: a megabyte.
        private static let pieceLength = 1 << 17

        /// Bytes that are sent at once; MPI counts in 32 bits.
        private static let mostBytes = 1 << 30

        /// A piece that goes to one rank, and one that comes from another.
        private struct Piece {
            let sent: Range<Int>, to: Int
            let received: Range<Int>, from: Int
        }

        /// Calls `body` so often that this rank sends its part of `sent` to each other rank, and receives from each
        /// what `received` says, in pieces of at most `length`. In each round it sends to one rank and receives from
        /// another; where one of the two is shorter, nothing is sent or received in its last turns.
        private func forEachExchange(
            length: Int, _ sent: [Range<Int>], _ body: (Piece) -> Void, received: (_ from: Int) -> Range<Int>
        ) {
            func piece(_ index: Int, of whole: Range<Int>) -> Range<Int> {
                let begin = min(whole.lowerBound + index * length, whole.upperBound)
                return begin..<min(begin + length, whole.upperBound)
            }
            for distance in 1..<max(1, count) {
                let (to, from) = ((rank + distance) % count, (rank - distance + count) % count)
                let (outgoing, incoming) = (sent[to], received(from))
                let turns = (max(outgoing.count, incoming.count) + length - 1) / length
                for turn in 0..<turns {
                    body(
                        Piece(
                            sent: piece(turn, of: outgoing), to: to, received: piece(turn, of: incoming), from: from))
                }
            }
        }

        private func exchange(
            _ sent: UnsafeRawBufferPointer, to: Int, _ received: UnsafeMutableRawBufferPointer, from: Int
        ) {
            Self.check(
                MPI_Sendrecv(
                    sent.baseAddress, Int32(sent.count), dpm_byte(), sent.isEmpty ? dpm_no_rank() : Int32(to), 0,
                    received.baseAddress, Int32(received.count), dpm_byte(),
                    received.isEmpty ? dpm_no_rank() : Int32(from), 0, dpm_world(), nil),
                "MPI_Sendrecv")
        }

        private static func check(_ status: Int32, _ call: String) {
            require(status == dpm_success(), "\(call) failed with status \(status).")
        }
    }
#endif
