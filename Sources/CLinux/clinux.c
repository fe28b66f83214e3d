#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

// Numbers that are the same on every architecture since Linux 5.1, for C libraries with older headers.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

// --- Files -----------------------------------------------------------------------------------------------------

const int cd_o_path = O_PATH;
const int cd_o_tmpfile = O_TMPFILE;
const int cd_o_noatime = O_NOATIME;
const int cd_seek_data = SEEK_DATA;
const int cd_seek_hole = SEEK_HOLE;
const int cd_at_empty_path = AT_EMPTY_PATH;
const unsigned int cd_rename_noreplace = 1;
const unsigned int cd_rename_exchange = 2;

struct cd_open_how { uint64_t flags, mode, resolve; };

int cd_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve) {
    struct cd_open_how how = { .flags = (unsigned int)flags, .mode = mode, .resolve = resolve };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static bool can_openat2(void) {
    int fd = cd_openat2(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0, cd_resolve_in_root);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

bool cd_probe_openat2(void) {
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0) return can_openat2();
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) _exit(!can_openat2());
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int cd_renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags) {
    return (int)syscall(SYS_renameat2, old_directory, old_path, new_directory, new_path, flags);
}

static int fdinfo_mount_id(int descriptor, uint64_t *mount_id) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", descriptor);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    int result = -1;
    while (fgets(line, sizeof line, file)) {
        unsigned long long id;
        if (sscanf(line, "mnt_id: %llu", &id) == 1) { *mount_id = id; result = 0; break; }
    }
    fclose(file);
    if (result < 0) errno = ENODATA;
    return result;
}

int cd_mount_id(int directory, const char *path, int flags, uint64_t *mount_id) {
#ifdef STATX_MNT_ID
    struct statx status;
    if (statx(directory, path, flags | AT_NO_AUTOMOUNT, STATX_MNT_ID, &status) == 0 && (status.stx_mask & STATX_MNT_ID)) {
        *mount_id = status.stx_mnt_id;
        return 0;
    }
#endif
    if (path[0] == 0) return fdinfo_mount_id(directory, mount_id);
    int fd = openat(directory, path, O_PATH | O_CLOEXEC | ((flags & AT_SYMLINK_NOFOLLOW) ? O_NOFOLLOW : 0));
    if (fd < 0) return -1;
    int result = fdinfo_mount_id(fd, mount_id);
    int code = errno;
    close(fd);
    errno = code;
    return result;
}

#ifdef STATX_MNT_ID
static struct timespec time_of(struct statx_timestamp time) {
    return (struct timespec){.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
}
#endif

int cd_status(int directory, const char *path, void *result, uint64_t *mount_id) {
    struct stat *status = result;
#ifdef STATX_MNT_ID
    struct statx found;
    int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH;
    int code = statx(directory, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &found);
    if (code == 0 && (found.stx_mask & STATX_MNT_ID)) {
        *status = (struct stat){
            .st_dev = makedev(found.stx_dev_major, found.stx_dev_minor), .st_ino = found.stx_ino,
            .st_mode = found.stx_mode, .st_nlink = found.stx_nlink, .st_uid = found.stx_uid, .st_gid = found.stx_gid,
            .st_rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor), .st_size = (off_t)found.stx_size,
            .st_blksize = found.stx_blksize, .st_blocks = (blkcnt_t)found.stx_blocks,
            .st_atim = time_of(found.stx_atime), .st_mtim = time_of(found.stx_mtime),
            .st_ctim = time_of(found.stx_ctime)};
        *mount_id = found.stx_mnt_id;
        return 0;
    }
    if (code < 0 && errno != ENOSYS) return -1;
#endif
    if (fstatat(directory, path, status, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) return -1;
    return cd_mount_id(directory, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, mount_id);
}

int cd_known_identity(int directory, const char *path, uint64_t *device, uint64_t *inode) {
#ifdef STATX_MNT_ID
    struct statx found;
    int code = statx(directory, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &found);
    if (code == 0) {
        *device = makedev(found.stx_dev_major, found.stx_dev_minor);
        *inode = found.stx_ino;
        return 0;
    }
    if (errno != ENOSYS) return -1;
#endif
    struct stat status;
    if (fstatat(directory, path, &status, AT_NO_AUTOMOUNT) < 0) return -1;
    *device = status.st_dev;
    *inode = status.st_ino;
    return 0;
}

int cd_mknodat(int directory, const char *path, mode_t mode, unsigned int major_number, unsigned int minor_number) {
    return mknodat(directory, path, mode, makedev(major_number, minor_number));
}
unsigned int cd_major(dev_t device) { return major(device); }
unsigned int cd_minor(dev_t device) { return minor(device); }

ssize_t cd_getdents(int directory, void *buffer, size_t size) { return syscall(SYS_getdents64, directory, buffer, size); }

ssize_t cd_lgetxattr(const char *path, const char *name, void *value, size_t size) { return lgetxattr(path, name, value, size); }
int cd_lsetxattr(const char *path, const char *name, const void *value, size_t size) { return lsetxattr(path, name, value, size, 0); }
ssize_t cd_fgetxattr(int descriptor, const char *name, void *value, size_t size) { return fgetxattr(descriptor, name, value, size); }
ssize_t cd_flistxattr(int descriptor, char *list, size_t size) { return flistxattr(descriptor, list, size); }
int cd_fsetxattr(int descriptor, const char *name, const void *value, size_t size) { return fsetxattr(descriptor, name, value, size, 0); }

long cd_filesystem_type(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 ? (long)status.f_type : -1;
}
int64_t cd_filesystem_free(int descriptor) {
    struct statvfs status;
    return fstatvfs(descriptor, &status) == 0 ? (int64_t)status.f_bavail * (int64_t)status.f_frsize : -1;
}
int cd_syncfs(int descriptor) { return (int)syscall(SYS_syncfs, descriptor); }
int cd_clear_immutable(int descriptor) {
    int flags = 0;
    if (ioctl(descriptor, FS_IOC_GETFLAGS, &flags) < 0) return errno == ENOTTY || errno == EOPNOTSUPP ? 0 : -1;
    if (!(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))) return 0;
    flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
    return ioctl(descriptor, FS_IOC_SETFLAGS, &flags);
}
int cd_ficlone(int destination, int source) { return ioctl(destination, FICLONE, source); }
ssize_t cd_copy_range(int source, int destination, int64_t offset, size_t length) {
    int64_t from = offset, to = offset;
    return syscall(SYS_copy_file_range, source, &from, destination, &to, length, 0);
}

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
enum { all_seals = 0x1 | 0x2 | 0x4 | 0x8 };

int cd_memfd(const char *name) { return (int)syscall(SYS_memfd_create, name, 0x1 | 0x2); }
int cd_pipe(int *read, int *write) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    *read = ends[0];
    *write = ends[1];
    return 0;
}
int cd_memfd_seal(int descriptor) { return fcntl(descriptor, F_ADD_SEALS, all_seals); }
bool cd_memfd_is_sealed(int descriptor) {
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & all_seals) == all_seals;
}

// --- Locks -----------------------------------------------------------------------------------------------------

#ifndef F_OFD_GETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif

int cd_ofd_lock(int descriptor, char type, int64_t start, int64_t length, bool wait) {
    struct flock lock = {
        .l_type = (short)(type == 'r' ? F_RDLCK : type == 'w' ? F_WRLCK : F_UNLCK),
        .l_whence = SEEK_SET, .l_start = start, .l_len = length,
    };
    return fcntl(descriptor, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

static void wake(int signal) { (void)signal; }

int cd_ofd_lock_within(int descriptor, int milliseconds) {
    // Without SA_RESTART, so that fcntl(2) ends; again and again, lest the first comes before fcntl(2) waits.
    struct sigaction alarm = { .sa_handler = wake }, before;
    struct itimerval off = { 0 }, time = {
        .it_value = { .tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000 },
        .it_interval = { .tv_usec = 50000 },
    };
    if (sigaction(SIGALRM, &alarm, &before) < 0) return -1;
    setitimer(ITIMER_REAL, &time, NULL);
    int result = cd_ofd_lock(descriptor, 'w', 0, 0, true), code = errno;
    setitimer(ITIMER_REAL, &off, NULL);
    sigaction(SIGALRM, &before, NULL);
    errno = code;
    return result;
}

int cd_ofd_is_locked(int descriptor, int64_t start, int64_t length) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
    if (fcntl(descriptor, F_OFD_GETLK, &lock) < 0) return -1;
    return lock.l_type == F_WRLCK && lock.l_start == start && lock.l_len == length;
}

// --- Processes -------------------------------------------------------------------------------------------------

pid_t cd_fork(void) { return fork(); }

// struct clone_args of clone(2), spelled out for C libraries whose headers lack its last field.
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
static const uint64_t into_cgroup = 0x200000000ULL;
static const long clone3_number = 435;

pid_t cd_fork_into(int group) {
    struct clone_arguments arguments = {.flags = into_cgroup, .exit_signal = SIGCHLD, .cgroup = (uint64_t)group};
    return (pid_t)syscall(clone3_number, &arguments, sizeof arguments);
}

int cd_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
int cd_pidfd_send_signal(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }

int cd_close_range(unsigned int first, unsigned int last) {
    if (first > last) return 0;
    if (syscall(SYS_close_range, first, last, 0) == 0) return 0;
    if (errno != ENOSYS && errno != EPERM) return -1;
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (unsigned int fd = first; fd <= last && fd < (unsigned long)limit; fd++) close((int)fd);
    return 0;
}

int cd_wait_kind(int status, int *code) {
    if (WIFEXITED(status)) { *code = WEXITSTATUS(status); return 1; }
    if (WIFSIGNALED(status)) { *code = WTERMSIG(status); return 2; }
    if (WIFSTOPPED(status)) { *code = WSTOPSIG(status); return 3; }
    return 0;
}

int cd_set_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }
int cd_set_dumpable(bool dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }
int cd_set_subreaper(bool on) { return prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0); }
int cd_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
int cd_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }
int cd_drop_bounding_capability(int capability) { return prctl(PR_CAPBSET_DROP, capability, 0, 0, 0); }
int cd_clear_ambient_capabilities(void) { return prctl(47 /* PR_CAP_AMBIENT */, 4 /* CLEAR_ALL */, 0, 0, 0); }
int cd_clear_inheritable_capabilities(void) {
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -1;
    data[0].inheritable = data[1].inheritable = 0;
    return (int)syscall(SYS_capset, &header, data);
}
int cd_set_groups(size_t count, const gid_t *groups) { return setgroups(count, groups); }
int cd_set_uids(uid_t uid) { return setresuid(uid, uid, uid); }
int cd_set_gids(gid_t gid) { return setresgid(gid, gid, gid); }
int cd_join_session_keyring(const char *name) { return (int)syscall(SYS_keyctl, 1, name, 0, 0, 0); }

// The strings that the kernel laid out, before a C library moves `environ` somewhere else.
static char *first_environment_end;
static char **first_environment;

__attribute__((constructor)) static void remember_environment(void) {
    extern char **environ;
    first_environment = environ;
    for (char **p = environ; p && *p; p++)
        if (*p + strlen(*p) + 1 > first_environment_end) first_environment_end = *p + strlen(*p) + 1;
}

extern char **environ;

/// The strings of the arguments and of the environment, which the title takes the place of.
static size_t title_room(char **argv) {
    if (!argv || !argv[0]) return 0;
    // The kernel lays the argument and environment strings out back to back; stop at the first gap.
    char *start = argv[0], *end = start;
    for (char **p = argv; *p; p++)
        if (*p == end) end = *p + strlen(*p) + 1;
    // The environment's strings follow the arguments'; the vector itself may be somebody else's by now.
    if (first_environment_end > end) end = first_environment_end;
    return (size_t)(end - start);
}

void cd_retitle(char **argv, const char *title) {
    size_t room = title_room(argv);
    if (room == 0) return;
    static char *nothing[] = { NULL };
    environ = nothing;
    memset(argv[0], 0, room);
    size_t length = strlen(title);
    memcpy(argv[0], title, length < room - 1 ? length : room - 1);
}

struct cd_title {
    char *start, **environment;
    size_t room;
    char strings[];
};

struct cd_title *cd_cover_title(char **argv, const char *title) {
    size_t room = title_room(argv);
    struct cd_title *kept = room > 0 ? malloc(sizeof *kept + room) : NULL;
    if (!kept) return NULL;
    *kept = (struct cd_title){ .start = argv[0], .environment = environ, .room = room };
    memcpy(kept->strings, argv[0], room);
    cd_retitle(argv, title);
    return kept;
}

void cd_uncover_title(struct cd_title *kept) {
    if (!kept) return;
    memcpy(kept->start, kept->strings, kept->room);
    environ = kept->environment;
    free(kept);
}

// --- Namespaces and mounts -------------------------------------------------------------------------------------

const int cd_clone_newns = CLONE_NEWNS, cd_clone_newpid = CLONE_NEWPID, cd_clone_newuts = CLONE_NEWUTS,
    cd_clone_newipc = CLONE_NEWIPC, cd_clone_newuser = CLONE_NEWUSER, cd_clone_newcgroup = CLONE_NEWCGROUP,
    cd_clone_newnet = CLONE_NEWNET;

int cd_unshare(int flags) { return unshare(flags); }
int cd_setns(int descriptor, int flags) { return setns(descriptor, flags); }
int cd_pivot_root(const char *new_root, const char *put_old) { return (int)syscall(SYS_pivot_root, new_root, put_old); }
int cd_sethostname(const char *name, size_t length) { return sethostname(name, length); }

int cd_fsopen(const char *type) { return (int)syscall(SYS_fsopen, type, 1); }
int cd_fsconfig_string(int context, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, 1, key, value, 0);
}
int cd_fsconfig_flag(int context, const char *key) { return (int)syscall(SYS_fsconfig, context, 0, key, NULL, 0); }
int cd_fsconfig_create(int context) { return (int)syscall(SYS_fsconfig, context, 6, NULL, NULL, 0); }
int cd_fsmount(int context, unsigned int attributes) { return (int)syscall(SYS_fsmount, context, 1, attributes); }

int cd_open_tree_clone(int directory, const char *path, bool recursive) {
    unsigned int flags = 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0);
    return (int)syscall(SYS_open_tree, directory, path, flags);
}

int cd_move_mount(int from, int to_directory, const char *to_path) {
    unsigned int flags = 0x4 /* F_EMPTY_PATH */ | (to_path[0] == 0 ? 0x40 /* T_EMPTY_PATH */ : 0);
    return (int)syscall(SYS_move_mount, from, "", to_directory, to_path, flags);
}

struct cd_mount_attributes { uint64_t set, clear, propagation, user_namespace; };

int cd_mount_setattr(int directory, const char *path, bool recursive, uint64_t set, uint64_t clear,
                     uint64_t propagation, int user_namespace) {
    struct cd_mount_attributes attributes = {
        .set = set, .clear = clear, .propagation = propagation,
        .user_namespace = user_namespace < 0 ? 0 : (uint64_t)user_namespace,
    };
    unsigned int flags = (path[0] == 0 ? AT_EMPTY_PATH : 0) | (recursive ? 0x8000 : 0);
    return (int)syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes);
}

const unsigned long cd_ms_private = 1 << 18, cd_ms_slave = 1 << 19, cd_ms_shared = 1 << 20;

// --- Terminals -------------------------------------------------------------------------------------------------

int cd_pty_peer(int master) { return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); }
int cd_pty_unlock(int master) { int off = 0; return ioctl(master, TIOCSPTLCK, &off); }
int cd_pty_signal(int master, int signal) { return ioctl(master, TIOCSIG, signal); }
int cd_pty_number(int master) {
    int number = -1;
    return ioctl(master, TIOCGPTN, &number) < 0 ? -1 : number;
}
int cd_make_controlling(int terminal) { return ioctl(terminal, TIOCSCTTY, 0); }
int cd_window_size(int terminal, unsigned short *rows, unsigned short *columns) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) < 0) return -1;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
int cd_copy_window_size(int from, int to) {
    struct winsize size;
    if (ioctl(from, TIOCGWINSZ, &size) < 0) return -1;
    return ioctl(to, TIOCSWINSZ, &size);
}
