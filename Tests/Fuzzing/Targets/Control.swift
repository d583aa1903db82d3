extension FuzzTarget {
    /// Traps on inputs that begin with "FUZZ": `scripts/fuzz` must find one.
    static let control = FuzzTarget(name: "control") { bytes in
        if bytes.count > 3, bytes[0] == 0x46, bytes[1] == 0x55, bytes[2] == 0x5a, bytes[3] == 0x5a {
            fatalError("This is what the control waits for.")
        }
    }
}
