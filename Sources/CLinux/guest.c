#include "clinux_guest.h"
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

// Everything from here to `cd_guest_start` runs in the child, on memory that is also the parent's.

struct way {
    const struct cd_guest *guest;
    /// The pipe that the parent reads: exec closes it, a failure is written to it.
    int report;
};

static _Noreturn void give_up_at(struct way way, enum cd_guest_step step, int path) {
    struct cd_guest_failure failure = { .step = step, .code = errno, .path = path };
    if (write(way.report, &failure, sizeof failure) < 0) _exit(2);
    _exit(1);
}

static void require(bool is_done, struct way way, enum cd_guest_step step) {
    if (!is_done) give_up_at(way, step, -1);
}

// The raw calls: those of the C library tell all threads, and may look for them in the parent's memory.
#ifdef SYS_setresuid32
static int set_uids(uid_t id) { return (int)syscall(SYS_setresuid32, id, id, id); }
static int set_gids(gid_t id) { return (int)syscall(SYS_setresgid32, id, id, id); }
static int set_groups(size_t count, const gid_t *ids) { return (int)syscall(SYS_setgroups32, count, ids); }
#else
static int set_uids(uid_t id) { return (int)syscall(SYS_setresuid, id, id, id); }
static int set_gids(gid_t id) { return (int)syscall(SYS_setresgid, id, id, id); }
static int set_groups(size_t count, const gid_t *ids) { return (int)syscall(SYS_setgroups, count, ids); }
#endif

/// Nobody inside may look into this process, whose program, memory and variables are the host's, and it is nothing
/// without its parent. Whoever becomes somebody else loses both.
static void guard(int death_signal) {
    cd_set_parent_death_signal(death_signal);
    cd_set_dumpable(false);
}

/// An open directory of the host's would be a way out of the container.
static void drop_directories(void) {
    for (int fd = 0; fd <= 2; fd++) {
        struct stat status;
        if (fstat(fd, &status) < 0 || !S_ISDIR(status.st_mode)) continue;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || dup2(null, fd) < 0) close(fd);
        if (null >= 0) close(null);
    }
}

/// What a program expects at its start.
static void reset_signals(const struct cd_guest *guest) {
    for (int number = 1; number < cd_signal_count; number++) cd_signal_disposition(number, 0);
    for (size_t i = 0; i < guest->ignored_count; i++) cd_signal_disposition(guest->ignored[i], 1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/// Such a write may take many milliseconds, so it is not made for the sake of a group without limits.
static bool enter_groups(const struct cd_guest *guest, bool is_born) {
    if (!guest->is_limited) return true;
    for (size_t i = 0; i < guest->membership_count; i++)
        if (write(guest->memberships[i], "0", 1) < 0) return false;
    if (is_born || guest->group < 0) return true;
    int procs = openat(guest->group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    return procs >= 0 && write(procs, "0", 1) == 1;
}

static void join(struct way way) {
    const struct cd_guest *guest = way.guest;
    int all = guest->namespaces | CLONE_NEWNS;
    // All at once with Linux 5.8; before that it says EINVAL.
    if (guest->holder < 0 || setns(guest->holder, all) < 0) {
        require(guest->holder < 0 || errno == EINVAL, way, cd_guest_namespaces);
        if (guest->namespaces)
            require(cd_join_namespaces(guest->holder_number, guest->namespaces) == 0, way, cd_guest_namespaces);
        require(setns(guest->mount_namespace, CLONE_NEWNS) == 0, way, cd_guest_mounts);
    }
    // Whoever joins is put into the first root of the mount namespace, which need not be the container's.
    require(fchdir(guest->root) == 0 && chroot(".") == 0, way, cd_guest_root);
    if (guest->users < 0) return;
    require(setns(guest->users, CLONE_NEWUSER) == 0 && set_groups(0, NULL) == 0 && set_gids(0) == 0 &&
                set_uids(0) == 0,
            way, cd_guest_users);
    guard(SIGKILL);
}

static bool take_terminal(const struct cd_guest *guest) {
    if (guest->terminal < 0) {
        if (guest->has_session) setsid();
    } else {
        setsid();
        if (cd_make_controlling(guest->terminal) < 0) return false;
        for (int fd = 0; fd <= 2; fd++)
            if ((guest->takes_all || isatty(fd)) && dup2(guest->terminal, fd) < 0) return false;
    }
    return guest->output < 0 || (dup2(guest->output, 1) == 1 && dup2(guest->output, 2) == 2);
}

static bool take_hostname(const char *name) {
    return !name || cd_hostname_is(name) || (unshare(CLONE_NEWUTS) == 0 && sethostname(name, strlen(name)) == 0);
}

/// What else the caller has open could be a way out of the container.
static void close_all_but(int one, int other) {
    int first = one < other ? one : other, last = one < other ? other : one;
    if (first < 3) first = last;
    cd_close_range(3, (unsigned)first - 1);
    if (last != first) cd_close_range((unsigned)first + 1, (unsigned)last - 1);
    cd_close_range((unsigned)last + 1, ~0U);
}

/// The caller's session keyring may hold its secrets; a kernel without keyrings has none to leave.
static bool leave_keyring(const struct cd_guest *guest) {
    if (cd_join_session_keyring(NULL) >= 0 || errno == ENOSYS) return true;
    return !guest->is_confined && (errno == EPERM || errno == EDQUOT || errno == EACCES);
}

int cd_seccomp_load(const void *program, size_t size) {
    struct sock_fprog filter = {
        .len = (unsigned short)(size / sizeof(struct sock_filter)), .filter = (struct sock_filter *)program,
    };
    if (size == 0 || size % sizeof(struct sock_filter) != 0 || size / sizeof(struct sock_filter) > BPF_MAXINSNS) {
        errno = EINVAL;
        return -1;
    }
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

/// A capability out of the bounding set is lost to root at the next exec, unless it is inheritable (capabilities(7)).
static bool drop_capabilities(uint64_t kept) {
    cd_clear_ambient_capabilities();
    if (cd_clear_inheritable_capabilities() < 0) return false;
    for (int number = 0; number < 64; number++) {
        if (kept >> number & 1 || cd_drop_bounding_capability(number) == 0) continue;
        // This kernel does not have that one, nor any after it.
        return errno == EINVAL;
    }
    return true;
}

/// Becomes the guest's user for good.
static void take_privileges(struct way way) {
    const struct cd_guest *guest = way.guest;
    require(leave_keyring(guest), way, cd_guest_keyring);
    require(!guest->has_no_new_privileges || cd_set_no_new_privileges() == 0, way, cd_guest_privileges);
    // It denies what comes to the keyring, and loading it takes a capability that may go with the user.
    require(!guest->filter || cd_seccomp_load(guest->filter, guest->filter_size) == 0, way, cd_guest_filter);
    require(drop_capabilities(guest->capabilities), way, cd_guest_capabilities);
    require(set_groups(guest->group_count, guest->groups) == 0, way, cd_guest_groups);
    require(set_gids(guest->group_id) == 0, way, cd_guest_group_id);
    require(set_uids(guest->user) == 0, way, cd_guest_user_id);
    // A supervisor that is killed takes its session along, as a terminal does that is closed.
    guard(SIGHUP);
}

/// Whether the parent still waits at the other end; one in another PID namespace has no number here.
static bool has_reader(int report) {
    struct pollfd entry = { .fd = report };
    return poll(&entry, 1, 0) >= 0 && !(entry.revents & POLLERR);
}

/// Executes a path; `arguments` are those of a script without `#!` where it is one. The reason why it failed.
static int execute(const struct cd_guest *guest, char *path, char *const *arguments) {
    execve(path, arguments, guest->variables);
    if (errno != ENOEXEC || arguments != guest->arguments) return errno;
    guest->script[1] = path;
    execve(guest->script[0], guest->script, guest->variables);
    return errno;
}

static _Noreturn void run(struct way way) {
    const struct cd_guest *guest = way.guest;
    int refused = -1, code = ENOENT, count = 0;
    for (; guest->paths[count]; count++) {
        int reason = execute(guest, guest->paths[count], guest->arguments);
        if (reason == ENOENT || reason == ENOTDIR) continue;
        if (refused < 0) {
            refused = count;
            code = reason;
        }
        if (reason == EACCES) continue;
        refused = count;
        code = reason;
        break;
    }
    // A bare word that is no program may be one of the shell's own.
    if (refused < 0 && guest->shell && access(guest->shell, X_OK) == 0) {
        refused = count;
        execve(guest->shell, guest->shell_arguments, guest->variables);
        code = errno;
    }
    errno = code;
    give_up_at(way, cd_guest_program, refused);
}

__attribute__((noinline)) static _Noreturn void become_guest(const struct cd_guest *guest, int report, bool is_born) {
    struct way way = { guest, report };
    guard(SIGKILL);
    drop_directories();
    reset_signals(guest);
    umask(022);
    require(enter_groups(guest, is_born), way, cd_guest_group);
    join(way);
    require(take_terminal(guest), way, cd_guest_terminal);
    require(take_hostname(guest->hostname), way, cd_guest_hostname);
    // Paths of the guest's own choice come next.
    close_all_but(report, guest->directory);
    take_privileges(way);
    if (!has_reader(report)) _exit(1);
    if (guest->directory >= 0) {
        require(fchdir(guest->directory) == 0 || !guest->needs_directory, way, cd_guest_directory);
        close(guest->directory);
    }
    run(way);
}

// --- In the parent ---------------------------------------------------------------------------------------------

// struct clone_args of clone(2), spelled out for C libraries whose headers lack its last field.
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/// A child on this process's memory and stack, below this frame. The system call is made right here: through a function
/// of its own the parent would return by way of what the child has written there meanwhile.
__attribute__((noinline)) static long start(const struct cd_guest *guest, int report, bool into_group) {
    struct clone_arguments arguments = {
        .flags = CLONE_VM | CLONE_VFORK | (into_group ? 0x200000000ULL /* CLONE_INTO_CGROUP */ : 0),
        .exit_signal = SIGCHLD, .cgroup = into_group ? (uint64_t)guest->group : 0,
    };
    long pid = -ENOSYS;
#if defined(__x86_64__)
    __asm__ volatile("syscall" : "=a"(pid) : "0"(435L), "D"(&arguments), "S"(sizeof arguments) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = 435;
    register long first __asm__("x0") = (long)&arguments;
    register long second __asm__("x1") = sizeof arguments;
    __asm__ volatile("svc 0" : "+r"(first) : "r"(number), "r"(second) : "memory");
    pid = first;
#endif
    if (pid == 0) become_guest(guest, report, into_group);
    return pid;
}

/// Where clone3(2) cannot be had: a copy of this process.
static pid_t start_copied(const struct cd_guest *guest, int report) {
    pid_t pid = guest->group >= 0 ? cd_fork_into(guest->group) : -1;
    bool is_born = pid >= 0;
    if (pid < 0) pid = fork();
    if (pid == 0) become_guest(guest, report, is_born);
    return pid;
}

static pid_t start_any(const struct cd_guest *guest, int report) {
    long pid = guest->group >= 0 ? start(guest, report, true) : -1;
    // A group that nobody can be born into, as one of another version, is no reason to have the memory copied.
    if (pid < 0) pid = start(guest, report, false);
    return pid < 0 ? start_copied(guest, report) : (pid_t)pid;
}

pid_t cd_guest_start(const struct cd_guest *guest, struct cd_guest_failure *failure) {
    *failure = (struct cd_guest_failure){ .step = cd_guest_fork, .path = -1 };
    int ends[2] = { -1, -1 };
    sigset_t all, before;
    // No handler of this process's may run on the child's stack, nor its death interrupt what is begun.
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int is_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    char *kept = guest->script[1];
    pid_t pid = cd_pipe(&ends[0], &ends[1]) < 0 ? -1 : start_any(guest, ends[1]);
    failure->code = errno;
    // Both belong to the memory that was the child's too.
    guest->script[1] = kept;
    cd_set_dumpable(is_dumpable == 1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (ends[1] >= 0) close(ends[1]);
    ssize_t count = 0;
    if (pid > 0) while ((count = read(ends[0], failure, sizeof *failure)) < 0 && errno == EINTR) {}
    if (ends[0] >= 0) close(ends[0]);
    if (pid <= 0 || count == 0) return pid;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    return -1;
}
