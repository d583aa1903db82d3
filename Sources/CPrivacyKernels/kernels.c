// What norms, sums and noise need.

#include "prelude.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the words of a random block are little-endian");

#if defined(__x86_64__)
__attribute__((visibility("hidden"))) dpk_outer_products dpk_add_outer_products_vnni;
#endif

#define DPK_BODY "kernels.inc"
#include "levels.inc"
