// Hashing and HTTP by the system's libcrypto and libcurl, which are loaded on first use.
//
// Every name starts with `cd_`. Nothing here is variadic, so Swift can call all of it.
#ifndef CTRANSPORT_H
#define CTRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// --- Hashing (EVP_DigestInit(3)) ---------------------------------------------------------------------------------

typedef struct cd_hasher cd_hasher;

/// Loads libcrypto; false when this system has none that fits. Safe to call from several threads.
bool cd_hashing_available(void);

/// A SHA-2 hasher of `bits` (256 or 512), or NULL when libcrypto is missing or refuses.
cd_hasher *cd_hasher_new(int bits);
bool cd_hasher_update(cd_hasher *hasher, const void *bytes, size_t count);
/// Writes `bits / 8` bytes to `digest`. The hasher is still to be freed.
bool cd_hasher_finish(cd_hasher *hasher, uint8_t *digest);
void cd_hasher_free(cd_hasher *hasher);

#endif
