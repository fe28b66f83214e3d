// Threads that are joined (pthreads(7)).
#ifndef CLINUX_WORKER_H
#define CLINUX_WORKER_H

typedef struct cd_worker cd_worker;

/// Runs `body(context)` in a thread in which every signal is blocked, so that handlers run elsewhere.
///
/// NULL and errno on failure; `context` is then untouched.
cd_worker *cd_worker_start(void (*body)(void *), void *context);

/// Waits for its end and frees it.
void cd_worker_join(cd_worker *thread);

#endif
