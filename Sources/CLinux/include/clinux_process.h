// Starting a program, signals by descriptor, and a file mode without following links.
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// fchmodat2(2) with AT_SYMLINK_NOFOLLOW (Linux 6.6), or the same by way of /proc/self/fd. EOPNOTSUPP for a link.
int cd_chmod_nofollow(int directory, const char *name, mode_t mode);

/// The step of cd_spawn that failed.
enum cd_spawn_step { cd_spawn_fork, cd_spawn_directory, cd_spawn_stdio, cd_spawn_user, cd_spawn_exec };

/// Whom a program runs as, with no groups but this one.
struct cd_spawn_identity { uid_t user; gid_t group; };

/// Forks and executes `path`; the child does nothing but async-signal-safe calls, so the caller may have threads.
///
/// `stdio` are the descriptors that become 0, 1 and 2; `directory` is the one to change to, or -1. In the child all
/// signals have their default action, but for a SIGHUP that nohup(1) had ignored, and none is blocked. Returns the child, or -1 with errno and `*step` when
/// anything up to and including execve(2) failed; no child is left then. `identity` is NULL for this process's own.
///
/// With `confined`, all that the child sees besides `directory` is read-only, and no device can be opened by its file,
/// where the kernel can do that (mount_setattr(2), Linux 5.12).
pid_t cd_spawn(const char *path, char *const *argv, char *const *envp, int directory, bool confined,
               const int stdio[3], const struct cd_spawn_identity *identity, enum cd_spawn_step *step);

/// A close-on-exec, non-blocking signalfd(2).
int cd_signalfd(const sigset_t *signals);
/// Takes one signal off a signalfd: its number, with *from_user 1 when a process sent it (kill(2)) and 0 when the
/// kernel did, such as for a key on a terminal. 0 when none is pending.
int cd_signalfd_take(int descriptor, int *from_user);

/// Has the kernel send `signal` to this process when `descriptor` becomes readable or loses its last writer.
int cd_signal_when_readable(int descriptor, int signal);

/// The highest signal number plus one (_NSIG).
extern const int cd_signal_count;
int cd_signal_realtime_minimum(void);
int cd_signal_realtime_maximum(void);
/// Sets the default action (`ignore` false) or ignores the signal.
int cd_signal_disposition(int signal, int ignore);
bool cd_signal_is_ignored(int signal);

/// The limits on open descriptors (RLIMIT_NOFILE); 0 when they cannot be had.
void cd_descriptor_limits(uint64_t *soft, uint64_t *hard);
int cd_set_descriptor_limits(uint64_t soft, uint64_t hard);

/// Begins to write a part of a file to the disk, without waiting for it (sync_file_range(2)); only advice.
void cd_begin_writeback(int descriptor, int64_t offset, int64_t length);

/// `environ`.
char **cd_environment(void);

#endif
