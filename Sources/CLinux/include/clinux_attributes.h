// Extended attributes beyond reading and setting (removexattr(2)).
#ifndef CLINUX_ATTRIBUTES_H
#define CLINUX_ATTRIBUTES_H

int cd_fremovexattr(int descriptor, const char *name);

#endif
