#include "clinux_attributes.h"

#include <sys/xattr.h>

int cd_fremovexattr(int descriptor, const char *name) { return fremovexattr(descriptor, name); }
