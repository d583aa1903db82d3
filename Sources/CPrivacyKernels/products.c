// Matrix products whose rows do not depend on each other.

#include "prelude.h"

#define DPK_BODY "products.inc"
#include "levels.inc"
