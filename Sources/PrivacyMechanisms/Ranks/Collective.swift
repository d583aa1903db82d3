/// What ranks can do together: every one of them calls the same function in the same order, or all of them wait.
///
/// The protocol is sealed: exactness hangs on each conformer, and outside this package nobody can write one.
///
/// **Guarantee:** of every conformer, sums are exact, whatever their order, and what is gathered or broadcast arrives
/// as it was sent. What is handed over is as secret as the data: the interconnect is trusted.
package protocol Collective: Sendable {
    /// This rank, from 0 on.
    var rank: Int { get }

    /// How many ranks there are, at least 1.
    var count: Int { get }

    /// Adds the numbers of all ranks up, place by place. The sums of this rank's `shares[rank]` are then at the
    /// beginning of `numbers`, and what follows them is undefined.
    ///
    /// `numbers` are as many on every rank; `shares` are ranges of their places, in order and together all of them.
    func reduceScatter(_ numbers: UnsafeMutableBufferPointer<Int64>, shares: [Range<Int>])

    /// Brings each rank's `shares[rank]`, ranges of bytes, to all others.
    func allGather(_ bytes: UnsafeMutableRawBufferPointer, shares: [Range<Int>])

    /// Brings the bytes of rank `root` to all others.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int)

    /// Ends all ranks.
    func abort() -> Never
}
