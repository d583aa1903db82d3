// zlib: the inflating of .gz files.
#include <zlib.h>
