#include "ctransport.h"
#include "loading.h"

#include <openssl/evp.h>
#include <pthread.h>

static struct {
    __typeof__(&EVP_MD_CTX_new) new;
    __typeof__(&EVP_MD_CTX_free) free;
    __typeof__(&EVP_DigestInit_ex) init;
    __typeof__(&EVP_DigestUpdate) update;
    __typeof__(&EVP_DigestFinal_ex) final;
    __typeof__(&EVP_sha256) sha256;
    __typeof__(&EVP_sha512) sha512;
} evp;
static bool is_loaded;

static void load(void) {
    void *library = cd_load((const char *const[]){"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so", NULL});
    is_loaded = library != NULL && CD_SYMBOL(library, evp.new, "EVP_MD_CTX_new") &&
                CD_SYMBOL(library, evp.free, "EVP_MD_CTX_free") &&
                CD_SYMBOL(library, evp.init, "EVP_DigestInit_ex") &&
                CD_SYMBOL(library, evp.update, "EVP_DigestUpdate") &&
                CD_SYMBOL(library, evp.final, "EVP_DigestFinal_ex") &&
                CD_SYMBOL(library, evp.sha256, "EVP_sha256") && CD_SYMBOL(library, evp.sha512, "EVP_sha512");
}

bool cd_hashing_available(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}

// A `cd_hasher` is libcrypto's own context.
static EVP_MD_CTX *context(cd_hasher *hasher) { return (EVP_MD_CTX *)hasher; }

cd_hasher *cd_hasher_new(int bits) {
    if (!cd_hashing_available()) return NULL;
    EVP_MD_CTX *made = evp.new();
    if (made == NULL) return NULL;
    if (evp.init(made, bits == 512 ? evp.sha512() : evp.sha256(), NULL) != 1) {
        evp.free(made);
        return NULL;
    }
    return (cd_hasher *)made;
}

bool cd_hasher_update(cd_hasher *hasher, const void *bytes, size_t count) {
    return evp.update(context(hasher), bytes, count) == 1;
}

bool cd_hasher_finish(cd_hasher *hasher, uint8_t *digest) {
    return evp.final(context(hasher), digest, NULL) == 1;
}

void cd_hasher_free(cd_hasher *hasher) { evp.free(context(hasher)); }
