// Matrix products whose rows do not depend on each other, compiled for several instruction sets and chosen once at run
// time.
//
// BLAS makes no such promise: its kernels round a row differently when the number of rows changes, and, on some
// processors (Haswell, Zen), when the row stands elsewhere in a block of one fixed size. Where something jumps (a ReLU,
// a maximum, a comparison with a clip norm), the last bit of one example's gradient then tells of the others.

#ifndef C_PRIVACY_KERNELS_PRODUCTS_H
#define C_PRIVACY_KERNELS_PRODUCTS_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// One set of kernels. Element (i, j) of C = A·B is the chain
///
///     s ← 0;  s ← s + a[i][k]·b[k][j]  for k = 0, 1, …;  c[i][j] = s
///
/// with one rounding a step on AVX2, AVX-512 and ARM (fused), two elsewhere: a function of row i of A and column j of
/// B, in every bit, whatever else is in the matrices, wherever they lie, and however the product is cut into calls.
typedef struct {
    /// How many columns a panel has at most.
    long panel_width;

    /// Copies `columns` ≤ `panel_width` columns of B, b[k][j] at `b + k·inner_step + j·column_step`, to a panel of
    /// `inner` × `panel_width` elements, in the order in which `multiply_panel` reads them.
    void (*pack_panel)(const float *b, long inner_step, long column_step, long inner, long columns, float *panel);

    /// C = A·B for one panel of B, with a[i][k] at `a + i·row_step + k·inner_step` and c[i][j] at `c + i·c_step + j`.
    /// Where it accumulates, the chain goes on from what C holds: a long sum may be cut into parts, in order.
    void (*multiply_panel)(const float *a, long row_step, long inner_step, long rows, long inner, const float *panel,
                           long columns, int accumulates, float *c, long c_step);
} dpk_products;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif

#endif
