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

// --- HTTP (libcurl-easy(3), libcurl-multi(3)) ---------------------------------------------------------------------

/// Why a transfer got no whole answer.
typedef enum {
    cd_failure_none = 0,
    /// The host's name, or the proxy's, has no address.
    cd_failure_resolve,
    cd_failure_connect,
    /// Nobody answered in time, or the bytes stopped coming.
    cd_failure_timeout,
    /// The peer does not speak TLS as we do, or not at all.
    cd_failure_handshake,
    /// The certificate is not one that this system trusts for that name.
    cd_failure_untrusted,
    /// The file with the trusted certificates cannot be read.
    cd_failure_trust_store,
    /// The connection broke before the end.
    cd_failure_interrupted,
    /// `cd_body_function` or `cd_stop_function` said stop.
    cd_failure_stopped,
    cd_failure_other,
} cd_failure;

/// What to do with the bytes that were offered.
typedef enum {
    cd_body_take,
    /// Offer them again after `cd_transfer_continue`.
    cd_body_pause,
    cd_body_stop,
} cd_body_answer;

typedef cd_body_answer cd_body_function(void *context, const void *bytes, size_t count);
/// One line of the head, with its line end.
typedef void cd_head_function(void *context, const void *bytes, size_t count);
/// Fills `buffer` with the next bytes to send; 0 at the end, SIZE_MAX to give up.
typedef size_t cd_source_function(void *context, void *buffer, size_t size);

/// Whether the answer is no longer wanted; asked about once a second, also while nothing comes.
typedef bool cd_stop_function(void *context);

typedef struct cd_transfer cd_transfer;

/// Loads libcurl; false when this system has none that fits. Safe to call from several threads.
bool cd_http_available(void);

/// NULL when libcurl is missing. A transfer keeps its connections open for the next request.
cd_transfer *cd_transfer_new(void *context, cd_head_function *head, cd_body_function *body, cd_stop_function *stop);
void cd_transfer_free(cd_transfer *transfer);

/// Forgets the request before and starts another; redirects are not followed.
bool cd_transfer_request(cd_transfer *transfer, const char *method, const char *url, const char *user_agent);
bool cd_transfer_add_header(cd_transfer *transfer, const char *line);
/// Bytes to send, copied.
bool cd_transfer_set_body(cd_transfer *transfer, const void *bytes, size_t count);
/// Sends `size` bytes that `source` gives when they are wanted.
bool cd_transfer_set_source(cd_transfer *transfer, cd_source_function *source, int64_t size);
/// Milliseconds until a connection stands, seconds that may pass without a byte, milliseconds for it all (0: any).
bool cd_transfer_set_patience(cd_transfer *transfer, long connect, long silence, long total);
/// Trusted certificates; NULL leaves libcurl's own. Without `verify` any certificate will do.
bool cd_transfer_set_trust(cd_transfer *transfer, const char *file, const char *directory, bool verify);
/// Goes through `proxy`, or through none when it is empty, whatever the environment says; `exceptions` lists the
/// hosts that are asked directly, in libcurl's form.
bool cd_transfer_set_proxy(cd_transfer *transfer, const char *proxy, const char *exceptions);

/// Waits for the whole answer.
cd_failure cd_transfer_perform(cd_transfer *transfer);
/// The status of the answer, 0 before there is one.
long cd_transfer_status(cd_transfer *transfer);
/// Where a redirect leads, absolute, or NULL; it lives until the next request.
const char *cd_transfer_redirect(cd_transfer *transfer);
/// libcurl's words for the failure; never NULL.
const char *cd_transfer_reason(cd_transfer *transfer);
/// Offers again what `cd_body_pause` left.
void cd_transfer_continue(cd_transfer *transfer);

typedef struct cd_transfers cd_transfers;

/// Several transfers at once in one thread; NULL when libcurl is missing.
cd_transfers *cd_transfers_new(void);
/// Each transfer is to be removed before.
void cd_transfers_free(cd_transfers *transfers);
bool cd_transfers_add(cd_transfers *transfers, cd_transfer *transfer);
void cd_transfers_remove(cd_transfers *transfers, cd_transfer *transfer);
/// Moves what can be moved, then waits for more for at most `milliseconds`.
bool cd_transfers_run(cd_transfers *transfers, int milliseconds);
/// A transfer that has ended since, and how; NULL when there is none.
cd_transfer *cd_transfers_next_ended(cd_transfers *transfers, cd_failure *failure);

/// The seconds since 1970 that an HTTP date stands for, or -1.
int64_t cd_http_date(const char *text);

#endif
