// The activation functions of networks and their derivatives.

#include "prelude.h"

#define DPK_BODY "activations.inc"
#include "levels.inc"
