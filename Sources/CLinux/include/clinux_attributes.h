// Extended attributes beyond reading and setting (removexattr(2)).
#ifndef CLINUX_ATTRIBUTES_H
#define CLINUX_ATTRIBUTES_H

#include <stddef.h>
#include <sys/types.h>

int cd_fremovexattr(int descriptor, const char *name);

/// The names of the attributes of a file in a directory, which is not followed when it is a link; `name` is one
/// component. By listxattrat(2) (Linux 6.13) where that is there, or by way of /proc.
ssize_t cd_list_attributes(int directory, const char *name, char *list, size_t size);

#endif
