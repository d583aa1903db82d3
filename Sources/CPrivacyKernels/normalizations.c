// The softmax, and rows of a mean square of 1.

#include "prelude.h"

#define DPK_BODY "normalizations.inc"
#include "levels.inc"
