// From uniformly random bits to standard normals, by the transform of Box and Muller ("A Note on the Generation of
// Random Normal Deviates", Annals of Mathematical Statistics 29, 1958), in Float32 vectors without branches or tables.
//
// Each 16-byte block gives one pair. The words of a block are W0 … W3, 32 bits each, little-endian:
//
//     field                       bits               meaning
//     low                         W0[31 … 2]         lower bits of k; W0[1 … 0] unused
//     high                        W1[30 … 0]         upper bits of k
//     upper                       W1[31]             which half of (0, 1) holds u
//     a                           W2[31 … 2]         two's complement angle within a quadrant; W2[1 … 0] unused
//     negate                      W3[30]             sign of the component nearer to the axis
//     swap                        W3[31]             which axis; W3[29 … 0] unused
//
//     k = high·2³¹ + (W0 >> 1 | 1)                   odd, 0 < k < 2⁶²
//     w = k·2⁻⁶³,  u = upper ? 1 - w : w             2⁶² values, equally likely and symmetric about ½
//     r = √(-2 ln u)                                 2⁻³¹ ≤ r < 9.346
//     x = (Int32(W2) >> 1 | 1)·2⁻³⁰·π/4              2³⁰ values in (-π/4, π/4), never 0; >> keeps the sign
//     near = negate ? -r·cos x : r·cos x
//     far = r·sin x
//     (z₀, z₁) = swap ? (far, near) : (near, far)
//
// So u has steps of 2⁻⁶² and a first value of 2⁻⁶³, the direction is one of 2³² equally spaced ones, half a step off
// the axes, and no output is 0. A reference in Float64, exact to a few 2⁻⁵³: as above with
//
//     -ln u = upper ? -log1p(-Double(k)·2⁻⁶³) : -log(Double(k)·2⁻⁶³)
//
// Every output differs from the exact transform of its block by less than 4 units in the last place, also where it is
// tiny. Found: 3.3 over 10⁸ blocks, 3.8 when the worst radii are combined with the worst angles, 0.45 on average.
//
// All variants give the same bits: each operation is rounded once, none is contracted, and no library function is
// called. A pair depends on nothing but its block, so it is the same whatever the count and in both forms. Time and
// memory accesses do not depend on the data, save for what the processor's division and square root do.
//
// Pointers need no alignment. `count` may be zero or odd; an odd one takes only z₀ of its last block. There
// are ⌈count / 2⌉ blocks, and nothing is read or written beyond them or `count`. No two arguments may overlap.

#ifndef DPK_GAUSSIAN_H
#define DPK_GAUSSIAN_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// out[2i], out[2i + 1] = the pair of block i, for `count` outputs.
void dpk_gaussian_portable(const unsigned char *blocks, long count, float *out);

/// out[j] = sum[j] · sum_scale (· post_scale[j]) + sigma · z[j], from left to right in Float64, rounded once to
/// Float32; z is what `dpk_gaussian_portable` gives. `post_scale` is NULL for all ones.
void dpk_gaussian_add_portable(const unsigned char *blocks, long count, const double *sum, double sum_scale,
                               const float *_Nullable post_scale, double sigma, float *out);

#if defined(__x86_64__)

/// `dpk_gaussian_portable` for processors with AVX2 (x86-64-v3).
void dpk_gaussian_avx2(const unsigned char *blocks, long count, float *out);

/// `dpk_gaussian_add_portable` for processors with AVX2 (x86-64-v3).
void dpk_gaussian_add_avx2(const unsigned char *blocks, long count, const double *sum, double sum_scale,
                         const float *_Nullable post_scale, double sigma, float *out);

/// `dpk_gaussian_portable` for processors with AVX-512 (x86-64-v4).
void dpk_gaussian_avx512(const unsigned char *blocks, long count, float *out);

/// `dpk_gaussian_add_portable` for processors with AVX-512 (x86-64-v4).
void dpk_gaussian_add_avx512(const unsigned char *blocks, long count, const double *sum, double sum_scale,
                         const float *_Nullable post_scale, double sigma, float *out);

#endif

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
