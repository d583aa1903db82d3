// What norms, sums and noise need.

#include "prelude.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the words of a random block are little-endian");

#define DPK_BODY "kernels.inc"
#include "levels.inc"
