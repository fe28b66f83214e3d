#include "clinux_attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// The same number on every architecture.
#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

int cd_fremovexattr(int descriptor, const char *name) { return fremovexattr(descriptor, name); }

ssize_t cd_list_attributes(int directory, const char *name, char *list, size_t size) {
    // A filter may answer calls that it does not know with a signal.
    static int is_known = -1;
    if (is_known < 0) is_known = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0;
    if (is_known) {
        ssize_t count = syscall(SYS_listxattrat, directory, name, AT_SYMLINK_NOFOLLOW, list, size);
        if (count >= 0 || errno != ENOSYS) return count;
        is_known = 0;
    }
    char path[300];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory, name);
    return llistxattr(path, list, size);
}
