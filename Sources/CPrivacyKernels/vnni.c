// Sums of outer products for processors that multiply and add pairs of 16-bit numbers in one instruction.

#include "prelude.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512vnni"))), apply_to = function)
#define NAME(x) x##_vnni
#define LANES 16
#define DPK_VNNI
#include "vectors.inc"
#include "outer.inc"

void dpk_add_outer_products_vnni(const int32_t *a, const int32_t *e, long pairs, long chain, long rows, long columns,
                                 int64_t *sum, long step) {
    NAME(all_outer_products)(a, e, pairs, chain, rows, columns, sum, step);
}
#pragma clang attribute pop

#endif
