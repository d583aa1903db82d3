// The element-wise formulas of optimizers.

#include "prelude.h"

#define DPK_BODY "optimizers.inc"
#include "levels.inc"
