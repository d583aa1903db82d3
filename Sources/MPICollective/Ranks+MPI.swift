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
            var (rank, count): (Int32, Int32) = (0, 0)
            check(MPI_Comm_rank(dpm_world(), &rank), "MPI_Comm_rank")
            check(MPI_Comm_size(dpm_world(), &count), "MPI_Comm_size")
            return MPICollective(rank: Int(rank), count: Int(count))
        }()

        func reduceScatter(_ numbers: UnsafeMutableBufferPointer<Int64>, shares: [Range<Int>]) {
            Self.requireFits(numbers.count, "numbers")
            let counts = shares.map { Int32($0.count) }
            Self.check(
                MPI_Reduce_scatter(
                    dpm_in_place(), numbers.baseAddress, counts, dpm_int64(), dpm_sum(), dpm_world()),
                "MPI_Reduce_scatter")
        }

        func allGather(_ bytes: UnsafeMutableRawBufferPointer, shares: [Range<Int>]) {
            Self.requireFits(bytes.count, "bytes")
            let (counts, places) = (shares.map { Int32($0.count) }, shares.map { Int32($0.lowerBound) })
            Self.check(
                MPI_Allgatherv(
                    dpm_in_place(), 0, dpm_byte(), bytes.baseAddress, counts, places, dpm_byte(), dpm_world()),
                "MPI_Allgatherv")
        }

        func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
            Self.requireFits(bytes.count, "bytes")
            Self.check(
                MPI_Bcast(bytes.baseAddress, Int32(bytes.count), dpm_byte(), Int32(root), dpm_world()), "MPI_Bcast")
        }

        func abort() -> Never {
            MPI_Abort(dpm_world(), 1)
            fail("MPI_Abort came back.")
        }

        /// MPI counts in 32 bits.
        private static func requireFits(_ count: Int, _ what: String) {
            require(
                count <= Int32.max,
                "\(count) \(what) were to be sent at once, but MPI takes \(Int32.max): a run on ranks has at most "
                    + "2²⁹ − 1 parameters.")
        }

        private static func check(_ status: Int32, _ call: String) {
            require(status == dpm_success(), "\(call) failed with status \(status).")
        }
    }
#endif
