// Threads (pthreads(7)).
#ifndef CLINUX_THREADS_H
#define CLINUX_THREADS_H

#include <stdbool.h>

typedef struct cd_thread cd_thread;

/// Runs `body` in a thread that takes no signals; NULL and errno on failure.
cd_thread *cd_thread_start(void (*body)(void *context), void *context);
/// Waits for its end and forgets it.
void cd_thread_join(cd_thread *thread);
/// The kernel's number of the calling thread, or -1 where threads have no priorities of their own.
int cd_thread_number(void);
/// Whether a thread of this process takes only what others leave of the processors (SCHED_IDLE, sched(7)).
///
/// Only root may take that back, so for others nothing is changed.
void cd_thread_set_modest(int number, bool modest);

#endif
