// libmount (util-linux), loaded on first use: most commands never mount by the classic interface.
#ifndef CLIBMOUNT_H
#define CLIBMOUNT_H

/// mount(2) through a libmount context. Any of the arguments but `target` may be NULL. -1 and errno on failure;
/// ENOPKG when libmount is not installed.
int cd_libmount(const char *source, const char *target, const char *type, const char *options);

/// The mount points of this namespace, one after the other, each ended by NUL; the caller frees `*targets`.
/// Returns their number, or -1 and errno.
int cd_libmount_targets(char **targets);

#endif
