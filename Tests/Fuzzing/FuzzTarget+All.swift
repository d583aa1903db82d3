extension FuzzTarget {
    /// All that `scripts/fuzz` runs, and the control, which it runs to see that it would notice.
    static let all: [FuzzTarget] = [
        .control,
        .idx, .gzip, .csv, .schema, .npy, .npz, .text,
        .safetensors, .mapping, .checkpoint,
        .configuration, .plan, .architecture, .model,
        .sampler, .noise, .strategy, .strategies,
        .event, .loss,
    ]

    /// The most that a file may take: what is read beyond that is a finding of libFuzzer's.
    static let fileLimit = 1 << 24
}
