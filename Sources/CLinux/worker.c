#include "clinux_worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct cd_worker {
    pthread_t handle;
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    cd_worker *thread = argument;
    thread->body(thread->context);
    return NULL;
}

cd_worker *cd_worker_start(void (*body)(void *), void *context) {
    cd_worker *thread = malloc(sizeof *thread);
    if (!thread) return NULL;
    *thread = (cd_worker){ .body = body, .context = context };
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&thread->handle, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) return thread;
    free(thread);
    errno = code;
    return NULL;
}

void cd_worker_join(cd_worker *thread) {
    pthread_join(thread->handle, NULL);
    free(thread);
}
