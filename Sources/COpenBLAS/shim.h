// OpenBLAS's C interface and LAPACKE's, which Debian ships in two packages.
#include <cblas.h>
#include <lapacke.h>
