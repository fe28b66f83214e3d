#include "clinux_threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct cd_thread {
    pthread_t id;
    void (*body)(void *context);
    void *context;
};

static void *run(void *argument) {
    cd_thread *thread = argument;
    thread->body(thread->context);
    return NULL;
}

cd_thread *cd_thread_start(void (*body)(void *context), void *context) {
    cd_thread *thread = malloc(sizeof *thread);
    if (thread == NULL) return NULL;
    *thread = (cd_thread){.body = body, .context = context};
    // A thread inherits the mask of its maker.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&thread->id, NULL, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0) return thread;
    free(thread);
    errno = code;
    return NULL;
}

void cd_thread_join(cd_thread *thread) {
    pthread_join(thread->id, NULL);
    free(thread);
}

int cd_thread_number(void) {
#ifdef SCHED_IDLE
    return (int)syscall(SYS_gettid);
#else
    return -1;
#endif
}

void cd_thread_set_modest(int number, bool modest) {
#ifdef SCHED_IDLE
    // On Linux the call means a thread, whatever POSIX says.
    struct sched_param none = {0};
    if (number > 0 && geteuid() == 0) sched_setscheduler(number, modest ? SCHED_IDLE : SCHED_OTHER, &none);
#endif
}
