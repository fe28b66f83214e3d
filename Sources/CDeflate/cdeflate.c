#include "cdeflate.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

// The functions as libdeflate.h declares them; they are those of its only ABI so far (libdeflate.so.0).
static struct {
    void *(*new)(int level);
    void (*free)(void *compressor);
    size_t (*bound)(void *compressor, size_t count);
    size_t (*compress)(void *compressor, const void *input, size_t count, void *output, size_t room);
    bool is_loaded;
} library;

static pthread_once_t loading = PTHREAD_ONCE_INIT;

static void load(void) {
    void *handle = dlopen("libdeflate.so.0", RTLD_NOW | RTLD_LOCAL);
    // Android has no numbers in the names of libraries.
    if (!handle) handle = dlopen("libdeflate.so", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return;
    *(void **)&library.new = dlsym(handle, "libdeflate_alloc_compressor");
    *(void **)&library.free = dlsym(handle, "libdeflate_free_compressor");
    *(void **)&library.bound = dlsym(handle, "libdeflate_gzip_compress_bound");
    *(void **)&library.compress = dlsym(handle, "libdeflate_gzip_compress");
    library.is_loaded = library.new && library.free && library.bound && library.compress;
}

cd_deflate *cd_deflate_new(int level) {
    pthread_once(&loading, load);
    return library.is_loaded ? library.new(level) : NULL;
}
void cd_deflate_free(cd_deflate *compressor) { library.free(compressor); }
size_t cd_deflate_bound(cd_deflate *compressor, size_t count) { return library.bound(compressor, count); }
size_t cd_deflate_member(cd_deflate *compressor, const void *input, size_t count, void *output, size_t room) {
    return library.compress(compressor, input, count, output, room);
}
