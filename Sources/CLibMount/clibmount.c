#include "clibmount.h"

#include <dlfcn.h>
#include <errno.h>
#include <libmount/libmount.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X) \
    X(mnt_new_context) X(mnt_free_context) X(mnt_context_set_source) X(mnt_context_set_target) \
    X(mnt_context_set_fstype) X(mnt_context_set_options) X(mnt_context_disable_canonicalize) \
    X(mnt_context_disable_helpers) X(mnt_context_disable_mtab) X(mnt_context_mount) X(mnt_context_get_syscall_errno) \
    X(mnt_context_syscall_called) X(mnt_new_table_from_file) X(mnt_unref_table) X(mnt_new_iter) X(mnt_free_iter) \
    X(mnt_table_next_fs) X(mnt_fs_get_target)

static struct {
#define DECLARE(name) __typeof__(&name) name;
    FUNCTIONS(DECLARE)
} library;

static bool load(void) {
    static int state;
    if (state) return state > 0;
    state = -1;
    void *handle = dlopen("libmount.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!handle) handle = dlopen("libmount.so", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
#define LOAD(name) if (!(library.name = (__typeof__(&name))dlsym(handle, #name))) return false;
    FUNCTIONS(LOAD)
    state = 1;
    return true;
}

int cd_libmount(const char *source, const char *target, const char *type, const char *options) {
    if (!load()) { errno = ENOPKG; return -1; }
    struct libmnt_context *context = library.mnt_new_context();
    if (!context) { errno = ENOMEM; return -1; }
    library.mnt_context_disable_canonicalize(context, 1);
    library.mnt_context_disable_helpers(context, 1);
    library.mnt_context_disable_mtab(context, 1);
    int result = 0;
    if (source) result = library.mnt_context_set_source(context, source);
    if (!result) result = library.mnt_context_set_target(context, target);
    if (!result && type) result = library.mnt_context_set_fstype(context, type);
    if (!result && options) result = library.mnt_context_set_options(context, options);
    if (!result) result = library.mnt_context_mount(context);
    int code = 0;
    if (result) {
        code = library.mnt_context_syscall_called(context) ? library.mnt_context_get_syscall_errno(context) : 0;
        if (!code) code = result < 0 ? -result : EINVAL;
    }
    library.mnt_free_context(context);
    errno = code;
    return result ? -1 : 0;
}

int cd_libmount_targets(char **targets) {
    *targets = NULL;
    if (!load()) { errno = ENOPKG; return -1; }
    struct libmnt_table *table = library.mnt_new_table_from_file("/proc/thread-self/mountinfo");
    if (!table) { errno = errno ? errno : ENOENT; return -1; }
    struct libmnt_iter *iterator = library.mnt_new_iter(MNT_ITER_FORWARD);
    struct libmnt_fs *fs;
    size_t used = 0, room = 0;
    int count = 0;
    while (iterator && library.mnt_table_next_fs(table, iterator, &fs) == 0) {
        const char *target = library.mnt_fs_get_target(fs);
        if (!target) continue;
        size_t length = strlen(target) + 1;
        if (used + length > room) {
            room = (used + length) * 2;
            char *larger = realloc(*targets, room);
            if (!larger) { count = -1; errno = ENOMEM; break; }
            *targets = larger;
        }
        memcpy(*targets + used, target, length);
        used += length;
        count++;
    }
    if (iterator) library.mnt_free_iter(iterator);
    library.mnt_unref_table(table);
    return count;
}
