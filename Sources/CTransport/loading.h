// Loading a shared library and taking functions out of it.
#ifndef LOADING_H
#define LOADING_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

/// Loads the first of `names` (ended by NULL) that this system has; NULL when it has none.
static inline void *cd_load(const char *const *names) {
    for (; *names != NULL; names++) {
        void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) return library;
    }
    return NULL;
}

/// Points `*slot`, a function pointer, at `name`; dlsym(3) explains why it goes through `void **`.
static inline bool cd_symbol(void *library, void **slot, const char *name) {
    *slot = dlsym(library, name);
    return *slot != NULL;
}
#define CD_SYMBOL(library, slot, name) cd_symbol((library), (void **)&(slot), (name))

#endif
