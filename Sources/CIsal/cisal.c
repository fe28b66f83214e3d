#include "cisal.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#if __has_include(<isa-l/igzip_lib.h>)

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

static struct {
    void (*init)(struct inflate_state *);
    void (*reset)(struct inflate_state *);
    int (*inflate)(struct inflate_state *);
    uint32_t (*crc32)(uint32_t, const unsigned char *, uint64_t);
    bool is_loaded;
} library;

static pthread_once_t loading = PTHREAD_ONCE_INIT;

static void load(void) {
    // The number is that of the ABI in the header; it stays loaded until the process ends.
    void *handle = dlopen("libisal.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!handle) return;
    *(void **)&library.init = dlsym(handle, "isal_inflate_init");
    *(void **)&library.reset = dlsym(handle, "isal_inflate_reset");
    *(void **)&library.inflate = dlsym(handle, "isal_inflate");
    *(void **)&library.crc32 = dlsym(handle, "crc32_gzip_refl");
    library.is_loaded = library.init && library.reset && library.inflate && library.crc32;
}

struct cd_isal { struct inflate_state state; };

bool cd_isal_available(void) {
    pthread_once(&loading, load);
    return library.is_loaded;
}

cd_isal *cd_isal_new(void) {
    if (!cd_isal_available()) return NULL;
    cd_isal *decoder = calloc(1, sizeof *decoder);
    if (!decoder) return NULL;
    library.init(&decoder->state);
    decoder->state.crc_flag = ISAL_DEFLATE;
    return decoder;
}

void cd_isal_free(cd_isal *decoder) { free(decoder); }

void cd_isal_reset(cd_isal *decoder) {
    library.reset(&decoder->state);
    decoder->state.crc_flag = ISAL_DEFLATE;
}

static uint32_t clamp(size_t count) { return count < (1u << 30) ? (uint32_t)count : 1u << 30; }

int cd_isal_inflate(cd_isal *decoder, const uint8_t *input, size_t *input_left, uint8_t *output, size_t *output_left) {
    struct inflate_state *state = &decoder->state;
    uint32_t given = clamp(*input_left), room = clamp(*output_left);
    state->next_in = (uint8_t *)input;
    state->avail_in = given;
    state->next_out = output;
    state->avail_out = room;
    int result = library.inflate(state);
    *input_left -= given - state->avail_in;
    *output_left -= room - state->avail_out;
    if (result < 0) return -1;
    return state->block_state == ISAL_BLOCK_FINISH;
}

size_t cd_isal_take_rest(cd_isal *decoder, uint8_t *bytes) {
    struct inflate_state *state = &decoder->state;
    if (state->read_in_length <= 0) return 0;
    // The stream ends inside a byte, the rest of which is padding.
    uint64_t bits = state->read_in >> (state->read_in_length % 8);
    size_t count = (size_t)state->read_in_length / 8;
    for (size_t i = 0; i < count; i++, bits >>= 8) bytes[i] = (uint8_t)bits;
    state->read_in_length = 0;
    return count;
}

uint32_t cd_isal_crc32(uint32_t crc, const uint8_t *bytes, size_t count) { return library.crc32(crc, bytes, count); }

#else

bool cd_isal_available(void) { return false; }
cd_isal *cd_isal_new(void) { return NULL; }
void cd_isal_free(cd_isal *decoder) { (void)decoder; }
void cd_isal_reset(cd_isal *decoder) { (void)decoder; }
int cd_isal_inflate(cd_isal *decoder, const uint8_t *input, size_t *input_left, uint8_t *output, size_t *output_left) {
    (void)decoder; (void)input; (void)input_left; (void)output; (void)output_left;
    return -1;
}
size_t cd_isal_take_rest(cd_isal *decoder, uint8_t *bytes) { (void)decoder; (void)bytes; return 0; }
uint32_t cd_isal_crc32(uint32_t crc, const uint8_t *bytes, size_t count) { (void)bytes; (void)count; return crc; }

#endif
