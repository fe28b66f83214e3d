#include "ctransport.h"
#include "loading.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
    __typeof__(&curl_easy_reset) easy_reset;
    CURLcode (*setopt)(CURL *, CURLoption, ...);
    CURLcode (*getinfo)(CURL *, CURLINFO, ...);
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_pause) pause;
    const char *(*strerror)(CURLcode);
    __typeof__(&curl_slist_append) slist_append;
    __typeof__(&curl_slist_free_all) slist_free_all;
    __typeof__(&curl_multi_init) multi_init;
    __typeof__(&curl_multi_cleanup) multi_cleanup;
    __typeof__(&curl_multi_add_handle) multi_add;
    __typeof__(&curl_multi_remove_handle) multi_remove;
    __typeof__(&curl_multi_perform) multi_perform;
    __typeof__(&curl_multi_poll) multi_poll;
    __typeof__(&curl_multi_info_read) multi_info_read;
    __typeof__(&curl_getdate) getdate;
} curl;
static bool is_loaded;

static void load(void) {
    void *library = cd_load((const char *const[]){"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so", NULL});
    is_loaded = library != NULL && CD_SYMBOL(library, curl.global_init, "curl_global_init") &&
                CD_SYMBOL(library, curl.easy_init, "curl_easy_init") &&
                CD_SYMBOL(library, curl.easy_cleanup, "curl_easy_cleanup") &&
                CD_SYMBOL(library, curl.easy_reset, "curl_easy_reset") &&
                CD_SYMBOL(library, curl.setopt, "curl_easy_setopt") &&
                CD_SYMBOL(library, curl.getinfo, "curl_easy_getinfo") &&
                CD_SYMBOL(library, curl.perform, "curl_easy_perform") &&
                CD_SYMBOL(library, curl.pause, "curl_easy_pause") &&
                CD_SYMBOL(library, curl.strerror, "curl_easy_strerror") &&
                CD_SYMBOL(library, curl.slist_append, "curl_slist_append") &&
                CD_SYMBOL(library, curl.slist_free_all, "curl_slist_free_all") &&
                CD_SYMBOL(library, curl.multi_init, "curl_multi_init") &&
                CD_SYMBOL(library, curl.multi_cleanup, "curl_multi_cleanup") &&
                CD_SYMBOL(library, curl.multi_add, "curl_multi_add_handle") &&
                CD_SYMBOL(library, curl.multi_remove, "curl_multi_remove_handle") &&
                CD_SYMBOL(library, curl.multi_perform, "curl_multi_perform") &&
                CD_SYMBOL(library, curl.multi_poll, "curl_multi_poll") &&
                CD_SYMBOL(library, curl.multi_info_read, "curl_multi_info_read") &&
                CD_SYMBOL(library, curl.getdate, "curl_getdate") &&
                curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

bool cd_http_available(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}

struct cd_transfer {
    CURL *easy;
    struct curl_slist *headers;
    void *context;
    cd_head_function *head;
    cd_body_function *body;
    cd_source_function *source;
    cd_stop_function *stop;
    CURLcode result;
    char reason[CURL_ERROR_SIZE];
};

static size_t receive_head(char *bytes, size_t size, size_t count, void *context) {
    cd_transfer *transfer = context;
    transfer->head(transfer->context, bytes, size * count);
    return size * count;
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context) {
    cd_transfer *transfer = context;
    switch (transfer->body(transfer->context, bytes, size * count)) {
    case cd_body_take: return size * count;
    case cd_body_pause: return CURL_WRITEFUNC_PAUSE;
    case cd_body_stop: break;
    }
    return size * count == 0 ? 1 : 0;  // Any other number than was offered ends the transfer.
}

static size_t give_source(char *buffer, size_t size, size_t count, void *context) {
    cd_transfer *transfer = context;
    size_t given = transfer->source(transfer->context, buffer, size * count);
    return given == SIZE_MAX ? CURL_READFUNC_ABORT : given;
}

static int ask_whether_to_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    cd_transfer *transfer = context;
    return transfer->stop(transfer->context) ? 1 : 0;
}

cd_transfer *cd_transfer_new(void *context, cd_head_function *head, cd_body_function *body, cd_stop_function *stop) {
    if (!cd_http_available()) return NULL;
    cd_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) return NULL;
    transfer->easy = curl.easy_init();
    if (transfer->easy == NULL) {
        free(transfer);
        return NULL;
    }
    transfer->context = context;
    transfer->head = head;
    transfer->body = body;
    transfer->stop = stop;
    return transfer;
}

void cd_transfer_free(cd_transfer *transfer) {
    curl.easy_cleanup(transfer->easy);
    curl.slist_free_all(transfer->headers);
    free(transfer);
}

#define SET(option, value) (curl.setopt(transfer->easy, (option), (value)) == CURLE_OK)

bool cd_transfer_request(cd_transfer *transfer, const char *method, const char *url, const char *user_agent) {
    curl.easy_reset(transfer->easy);
    curl.slist_free_all(transfer->headers);
    transfer->headers = NULL;
    transfer->source = NULL;
    transfer->result = CURLE_OK;
    transfer->reason[0] = '\0';
    bool is_set = SET(CURLOPT_URL, url) && SET(CURLOPT_USERAGENT, user_agent) && SET(CURLOPT_NOSIGNAL, 1L) &&
                  SET(CURLOPT_ERRORBUFFER, transfer->reason) && SET(CURLOPT_PRIVATE, transfer) &&
                  SET(CURLOPT_HEADERFUNCTION, receive_head) && SET(CURLOPT_HEADERDATA, transfer) &&
                  SET(CURLOPT_WRITEFUNCTION, receive_body) && SET(CURLOPT_WRITEDATA, transfer) &&
                  SET(CURLOPT_XFERINFOFUNCTION, ask_whether_to_stop) && SET(CURLOPT_XFERINFODATA, transfer) &&
                  SET(CURLOPT_NOPROGRESS, 0L) && SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
                  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) && SET(CURLOPT_BUFFERSIZE, 262144L) && SET(CURLOPT_UPLOAD_BUFFERSIZE, 1048576L);
    if (strcmp(method, "HEAD") == 0) return is_set && SET(CURLOPT_NOBODY, 1L);
    if (strcmp(method, "GET") == 0) return is_set;
    return is_set && SET(CURLOPT_CUSTOMREQUEST, method);
}

bool cd_transfer_add_header(cd_transfer *transfer, const char *line) {
    struct curl_slist *longer = curl.slist_append(transfer->headers, line);
    if (longer == NULL) return false;
    transfer->headers = longer;
    return SET(CURLOPT_HTTPHEADER, longer);
}

bool cd_transfer_set_body(cd_transfer *transfer, const void *bytes, size_t count) {
    return SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count) && SET(CURLOPT_COPYPOSTFIELDS, bytes);
}

bool cd_transfer_set_source(cd_transfer *transfer, cd_source_function *source, int64_t size) {
    transfer->source = source;
    return SET(CURLOPT_UPLOAD, 1L) && SET(CURLOPT_READFUNCTION, give_source) &&
           SET(CURLOPT_READDATA, transfer) && SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
}

bool cd_transfer_set_patience(cd_transfer *transfer, long connect, long silence, long total) {
    return SET(CURLOPT_CONNECTTIMEOUT_MS, connect) && SET(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
           SET(CURLOPT_LOW_SPEED_TIME, silence) && SET(CURLOPT_TIMEOUT_MS, total);
}

bool cd_transfer_set_trust(cd_transfer *transfer, const char *file, const char *directory, bool verify) {
    return (file == NULL || SET(CURLOPT_CAINFO, file)) && (directory == NULL || SET(CURLOPT_CAPATH, directory)) &&
           SET(CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L) && SET(CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
}

bool cd_transfer_set_proxy(cd_transfer *transfer, const char *proxy, const char *exceptions) {
    return SET(CURLOPT_PROXY, proxy) && SET(CURLOPT_NOPROXY, exceptions);
}

static cd_failure failure_of(CURLcode code) {
    switch ((int)code) {
    case CURLE_OK: return cd_failure_none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return cd_failure_resolve;
    case CURLE_COULDNT_CONNECT: return cd_failure_connect;
    case CURLE_OPERATION_TIMEDOUT: return cd_failure_timeout;
    case CURLE_SSL_CONNECT_ERROR: return cd_failure_handshake;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR: return cd_failure_untrusted;
    case CURLE_SSL_CACERT_BADFILE: return cd_failure_trust_store;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return cd_failure_interrupted;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return cd_failure_stopped;
    default: return cd_failure_other;
    }
}

// TLS libraries write to sockets without MSG_NOSIGNAL, so a peer that has gone away would raise SIGPIPE.
cd_failure cd_transfer_perform(cd_transfer *transfer) {
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    transfer->result = curl.perform(transfer->easy);
    if (!sigismember(&pending, SIGPIPE)) sigtimedwait(&pipe_signal, NULL, &(struct timespec){0, 0});
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure_of(transfer->result);
}

long cd_transfer_status(cd_transfer *transfer) {
    long status = 0;
    curl.getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

const char *cd_transfer_redirect(cd_transfer *transfer) {
    char *url = NULL;
    curl.getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url);
    return url;
}

const char *cd_transfer_reason(cd_transfer *transfer) {
    return transfer->reason[0] != '\0' ? transfer->reason : curl.strerror(transfer->result);
}

void cd_transfer_continue(cd_transfer *transfer) { curl.pause(transfer->easy, CURLPAUSE_CONT); }

// A `cd_transfers` is libcurl's own multi handle.
static CURLM *multi(cd_transfers *transfers) { return (CURLM *)transfers; }

cd_transfers *cd_transfers_new(void) {
    return cd_http_available() ? (cd_transfers *)curl.multi_init() : NULL;
}

void cd_transfers_free(cd_transfers *transfers) { curl.multi_cleanup(multi(transfers)); }

bool cd_transfers_add(cd_transfers *transfers, cd_transfer *transfer) {
    return curl.multi_add(multi(transfers), transfer->easy) == CURLM_OK;
}

void cd_transfers_remove(cd_transfers *transfers, cd_transfer *transfer) {
    curl.multi_remove(multi(transfers), transfer->easy);
}

bool cd_transfers_run(cd_transfers *transfers, int milliseconds) {
    int running = 0;
    if (curl.multi_perform(multi(transfers), &running) != CURLM_OK) return false;
    return running == 0 || curl.multi_poll(multi(transfers), NULL, 0, milliseconds, NULL) == CURLM_OK;
}

cd_transfer *cd_transfers_next_ended(cd_transfers *transfers, cd_failure *failure) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl.multi_info_read(multi(transfers), &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode result = message->data.result;
        char *owner = NULL;
        curl.getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        cd_transfer *transfer = (cd_transfer *)owner;
        transfer->result = result;
        *failure = failure_of(result);
        return transfer;
    }
    return NULL;
}

int64_t cd_http_date(const char *text) { return cd_http_available() ? curl.getdate(text, NULL) : -1; }
