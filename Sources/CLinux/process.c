#include "clinux_process.h"
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef F_SETSIG
#define F_SETSIG 10
#endif

int cd_chmod_nofollow(int directory, const char *name, mode_t mode) {
    if (syscall(SYS_fchmodat2, directory, name, mode, AT_SYMLINK_NOFOLLOW) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
    int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -1;
    struct stat status;
    char path[32];
    int result = fstat(fd, &status);
    if (result == 0 && S_ISLNK(status.st_mode)) {
        errno = EOPNOTSUPP;
        result = -1;
    }
    if (result == 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        result = chmod(path, mode);
    }
    int code = errno;
    close(fd);
    errno = code;
    return result;
}

void cd_descriptor_limits(uint64_t *soft, uint64_t *hard) {
    struct rlimit limit = { 0, 0 };
    getrlimit(RLIMIT_NOFILE, &limit);
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
}

int cd_set_descriptor_limits(uint64_t soft, uint64_t hard) {
    const struct rlimit limit = { soft, hard };
    return setrlimit(RLIMIT_NOFILE, &limit);
}

void cd_begin_writeback(int descriptor, int64_t offset, int64_t length) {
    sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
}

extern char **environ;
char **cd_environment(void) { return environ; }

const int cd_signal_count = NSIG;
int cd_signal_realtime_minimum(void) { return SIGRTMIN; }
int cd_signal_realtime_maximum(void) { return SIGRTMAX; }

int cd_signal_disposition(int signal, int ignore) {
    struct sigaction action = { .sa_handler = ignore ? SIG_IGN : SIG_DFL };
    return sigaction(signal, &action, NULL);
}

bool cd_signal_is_ignored(int signal) {
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

struct report { int step, code; };

static _Noreturn void give_up(int pipe, enum cd_spawn_step step) {
    struct report report = { .step = step, .code = errno };
    while (write(pipe, &report, sizeof report) < 0 && errno == EINTR) {}
    _exit(127);
}

/// Puts `stdio` in the places 0, 1 and 2, also when one of them is itself such a place.
static int place_stdio(const int stdio[3]) {
    int moved[3];
    for (int i = 0; i < 3; i++)
        if ((moved[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3)) < 0) return -1;
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) < 0) return -1;
    return 0;
}

/// Marks descriptors that this process was itself born with.
static void close_on_exec_from(unsigned int first) {
    if (syscall(SYS_close_range, first, ~0u, 4 /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */) == 0) return;
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int fd = (int)first; fd < limit; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// Makes everything read-only for this process but `directory`, and goes there.
///
/// The directory is a mount of its own, outside of which no `..` leads.
static int confine(int directory) {
    // Only of the namespace of its own can a part be taken out.
    int tree = cd_open_tree_clone(directory, "", false);
    if (tree < 0) return errno == ENOSYS ? fchdir(directory) : -1;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -1;
    uint64_t restrictions = 1 /* MOUNT_ATTR_RDONLY */ | 4 /* MOUNT_ATTR_NODEV */;
    if (cd_mount_setattr(AT_FDCWD, "/", true, restrictions, 0, 0, -1) < 0 && errno != ENOSYS) return -1;
    return fchdir(tree);
}

pid_t cd_spawn(const char *path, char *const *argv, char *const *envp, int directory, bool confined,
               const int stdio[3], const struct cd_spawn_identity *identity, enum cd_spawn_step *step) {
    *step = cd_spawn_fork;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t child = fork();
    if (child == 0) {
        // Out of the way of 0, 1 and 2, which the caller may have closed.
        int pipe = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
        if (pipe < 0) _exit(127);
        // nohup(1) and background jobs of scripts ignore these for all that they start.
        for (int signal = 1; signal < NSIG; signal++)
            if ((signal != SIGHUP && signal != SIGINT && signal != SIGQUIT) || !cd_signal_is_ignored(signal))
                cd_signal_disposition(signal, 0);
        if (directory >= 0 && (confined ? confine(directory) : fchdir(directory)) < 0)
            give_up(pipe, cd_spawn_directory);
        if (place_stdio(stdio) < 0) give_up(pipe, cd_spawn_stdio);
        // To these calls, -1 is whoever it is now.
        if (identity && (identity->user == (uid_t)-1 || identity->group == (gid_t)-1)) {
            errno = EINVAL;
            give_up(pipe, cd_spawn_user);
        }
        if (identity && (setgroups(1, &identity->group) < 0 ||
                         setresgid(identity->group, identity->group, identity->group) < 0 ||
                         setresuid(identity->user, identity->user, identity->user) < 0))
            give_up(pipe, cd_spawn_user);
        close_on_exec_from(3);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(path, argv, envp);
        give_up(pipe, cd_spawn_exec);
    }
    int code = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    struct report report = { .step = cd_spawn_fork, .code = code };
    ssize_t got = 0;
    if (child > 0)
        while ((got = read(ends[0], &report, sizeof report)) < 0 && errno == EINTR) {}
    close(ends[0]);
    if (child > 0 && got != sizeof report) return child;
    if (child > 0)
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    *step = report.step;
    errno = report.code;
    return -1;
}

int cd_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }

int cd_signalfd_take(int descriptor, int *from_user) {
    struct signalfd_siginfo info;
    if (read(descriptor, &info, sizeof info) != sizeof info) return 0;
    // SI_KERNEL is a key on the terminal or its hang-up; a relayed signal (F_SETSIG) carries POLL_IN.
    *from_user = info.ssi_code != 0x80;
    return (int)info.ssi_signo;
}

int cd_signal_when_readable(int descriptor, int signal) {
    if (fcntl(descriptor, F_SETOWN, getpid()) < 0 || fcntl(descriptor, F_SETSIG, signal) < 0) return -1;
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_ASYNC);
}
