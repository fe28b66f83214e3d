#include "clinux_namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static int put(const char *process, const char *file, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t length = strlen(text);
    ssize_t written = write(fd, text, length);
    int code = written < 0 ? errno : EIO;
    close(fd);
    errno = code;
    return written == (ssize_t)length ? 0 : -1;
}

struct inhabitant {
    int ready, end;
    /// Its number in this /proc, which may be that of another PID namespace than its own.
    char number[16];
};

/// Lives on the parent's memory and its own stack, and does nothing that would touch either.
static int wait_for_the_end(void *argument) {
    struct inhabitant *self = argument;
    char byte = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (syscall(SYS_readlinkat, AT_FDCWD, "/proc/self", self->number, sizeof self->number - 1) > 0)
        syscall(SYS_write, self->ready, &byte, 1);
    else
        syscall(SYS_close, self->ready);
    while (syscall(SYS_read, self->end, &byte, 1) > 0) {}
    syscall(SYS_exit, 0);
    return 0;
}

int cd_user_namespace(const char *users, const char *groups) {
    enum { room = 16384 };
    static char stack[room] __attribute__((aligned(64)));
    int ready[2], end[2];
    if (pipe2(ready, O_CLOEXEC) < 0) return -1;
    if (pipe2(end, O_CLOEXEC) < 0) {
        close(ready[0]);
        close(ready[1]);
        return -1;
    }
    // It shares our memory, but has descriptors of its own: closing one of them here changes nothing there.
    struct inhabitant inhabitant = { .ready = ready[1], .end = end[0] };
    pid_t child = clone(wait_for_the_end, stack + room, CLONE_VM | CLONE_NEWUSER | SIGCHLD, &inhabitant);
    int result = child < 0 ? -1 : 0, code = errno;
    close(ready[1]);
    if (result == 0) {
        char byte;
        ssize_t count;
        while ((count = read(ready[0], &byte, 1)) < 0 && errno == EINTR) {}
        if (count != 1) result = -1;
        code = EIO;
    }
    errno = code;
    if (result == 0) result = put(inhabitant.number, "uid_map", users);
    if (result == 0) result = put(inhabitant.number, "gid_map", groups);
    if (result == 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/ns/user", inhabitant.number);
        result = open(path, O_RDONLY | O_CLOEXEC);
    }
    code = errno;
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    close(ready[0]);
    close(end[0]);
    close(end[1]);
    errno = code;
    return result;
}

int cd_join_namespaces(pid_t pid, int flags) {
    static const struct { int flag; const char *name; } kinds[] = {
        { CLONE_NEWPID, "pid" }, { CLONE_NEWUTS, "uts" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWCGROUP, "cgroup" },
        { CLONE_NEWNS, "mnt" },
    };
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd >= 0) {
        int result = setns(pidfd, flags), code = errno;
        close(pidfd);
        errno = code;
        if (result == 0 || code != EINVAL) return result;
    }
    // Before Linux 5.8; the mount namespace comes last, since its /proc may not show that process.
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!(flags & kinds[i].flag)) continue;
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kinds[i].name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return -1;
        int result = setns(fd, kinds[i].flag), code = errno;
        close(fd);
        errno = code;
        if (result < 0) return -1;
    }
    return 0;
}

int cd_users_of(int namespace) { return ioctl(namespace, _IO(0xb7, 0x1) /* NS_GET_USERNS, Linux 4.9 */); }

int cd_make_files_as(uid_t uid, gid_t gid) {
    enum { no_setuid_fixup = 1 << 2 };
    if (prctl(PR_SET_SECUREBITS, uid == 0 ? 0 : no_setuid_fixup, 0, 0, 0) < 0) return -1;
    setfsgid(gid);
    setfsuid(uid);
    // These calls do not say whether they succeeded.
    if (setfsgid(-1) == (int)gid && setfsuid(-1) == (int)uid) return 0;
    errno = EPERM;
    return -1;
}

static void tell_everybody(int signal) {
    int code = errno;
    kill(-1, signal);
    errno = code;
}

int cd_become_init(void) {
    // A child of whoever ignores this signal is reaped by the kernel (wait(2), NOTES).
    if (signal(SIGCHLD, SIG_IGN) == SIG_ERR) return -1;
    struct sigaction action = { .sa_handler = tell_everybody, .sa_flags = SA_RESTART };
    static const int told[] = { SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2 };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (sigaction(told[i], &action, NULL) < 0) return -1;
    return 0;
}

bool cd_hostname_is(const char *name) {
    struct utsname system;
    return uname(&system) == 0 && strcmp(system.nodename, name) == 0;
}

// The variables that begin as zeros (the linker's own names, end(3)).
extern char __bss_start[], _end[];

static void populate(const char *start, const char *end) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)start + page - 1) & -page;
    if ((uintptr_t)end > first) madvise((void *)first, (uintptr_t)end - first, 23 /* MADV_POPULATE_WRITE */);
}

void cd_expect_memory(void) {
    populate(__bss_start, _end);
    char *top = sbrk(0);
    // What malloc(3) has asked for so far.
    if (top != (char *)-1) populate(top - (128 << 10), top);
}

void cd_shed_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    FILE *maps = fopen("/proc/self/smaps", "re");
    if (!maps) return;
    char line[512], path[256];
    unsigned long start = 0, end = 0, first, last, size;
    bool is_file = false;
    while (fgets(line, sizeof line, maps)) {
        path[0] = 0;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255s", &first, &last, path) >= 2) {
            start = first;
            end = last;
            is_file = path[0] == '/';
        } else if (is_file && sscanf(line, "Anonymous: %lu", &size) == 1 && size == 0) {
            // Nothing in it was written to, relocations included: it comes back from the file when it is touched.
            madvise((void *)start, end - start, MADV_DONTNEED);
        }
    }
    fclose(maps);
}
