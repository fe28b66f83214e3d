// Linux system calls and constants that Swift's own C library overlay hides.
//
// Every name starts with `cd_`. A function returns what the system call returns: -1 and errno on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clinux_attributes.h"
#include "clinux_doors.h"
#include "clinux_guest.h"
#include "clinux_namespaces.h"
#include "clinux_process.h"
#include "clinux_threads.h"
#include "clinux_trial.h"

// --- Files (open(2), openat2(2), statx(2), renameat2(2)) -------------------------------------------------------

enum {
    cd_resolve_no_xdev = 0x01,
    cd_resolve_no_magiclinks = 0x02,
    cd_resolve_no_symlinks = 0x04,
    cd_resolve_beneath = 0x08,
    cd_resolve_in_root = 0x10,
};

extern const int cd_o_path;
extern const int cd_o_tmpfile;
extern const int cd_o_noatime;
extern const int cd_seek_data, cd_seek_hole;
extern const int cd_at_empty_path;
extern const unsigned int cd_rename_noreplace;
extern const unsigned int cd_rename_exchange;

/// openat2(2). ENOSYS on Linux before 5.6; an app sandbox may kill the caller instead: see cd_probe_openat2.
int cd_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve);

/// Whether openat2(2) works here. Under a seccomp filter it is tried in a child, which a SIGSYS may kill.
bool cd_probe_openat2(void);

int cd_renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);

/// The mount id of `path` below `directory` by statx(2) (Linux 5.8), or by /proc/self/fdinfo of an O_PATH descriptor.
int cd_mount_id(int directory, const char *path, int flags, uint64_t *mount_id);

/// Status (a `struct stat`) and mount id of `path` below `directory`, without following a link, in one call where the
/// kernel has it.
int cd_status(int directory, const char *path, void *status, uint64_t *mount_id);

/// Device and inode number of what `path` leads to, by what the kernel knows of it: a file system that does not answer
/// is not asked, where statx(2) is there.
int cd_known_identity(int directory, const char *path, uint64_t *device, uint64_t *inode);

int cd_mknodat(int directory, const char *path, mode_t mode, unsigned int major, unsigned int minor);
unsigned int cd_major(dev_t device);
unsigned int cd_minor(dev_t device);

/// The directory entries of an open directory: getdents64(2) into `buffer`.
ssize_t cd_getdents(int directory, void *buffer, size_t size);

/// Extended attributes of `/proc/self/fd/N`-reachable entries; `name` NUL-terminated, sizes in bytes.
ssize_t cd_lgetxattr(const char *path, const char *name, void *value, size_t size);
int cd_lsetxattr(const char *path, const char *name, const void *value, size_t size);
ssize_t cd_fgetxattr(int descriptor, const char *name, void *value, size_t size);
ssize_t cd_flistxattr(int descriptor, char *list, size_t size);
int cd_fsetxattr(int descriptor, const char *name, const void *value, size_t size);

/// The magic number of the file system that holds `descriptor` (statfs(2) f_type), or -1.
long cd_filesystem_type(int descriptor);
/// Bytes that a process without privileges may still write to the file system of `descriptor`, or -1.
int64_t cd_filesystem_free(int descriptor);
int cd_syncfs(int descriptor);
/// Takes the immutable and append-only flags off a file (ioctl_iflags(2)); 0 where there are no such flags.
int cd_clear_immutable(int descriptor);
int cd_ficlone(int destination, int source);
/// copy_file_range(2) at the same offset of both files.
ssize_t cd_copy_range(int source, int destination, int64_t offset, size_t length);

/// A sealable anonymous file (memfd_create(2)), close-on-exec.
int cd_memfd(const char *name);
/// pipe2(2) with O_CLOEXEC.
int cd_pipe(int *read, int *write);
int cd_memfd_seal(int descriptor);
bool cd_memfd_is_sealed(int descriptor);

// --- Locks (fcntl(2), open file description locks) -------------------------------------------------------------

/// Sets a lock on `length` bytes at `start` (0: to the end). `type` is 'r', 'w' or 'u'; `wait` blocks.
int cd_ofd_lock(int descriptor, char type, int64_t start, int64_t length, bool wait);
/// Takes a lock for writing on all bytes, waiting so long at most; -1 with `EINTR` when that was not enough.
///
/// Uses `ITIMER_REAL` and SIGALRM for the time of the call.
int cd_ofd_lock_within(int descriptor, int milliseconds);
/// 1 when somebody else has a lock on exactly that range, 0 when nobody has, -1 on error.
int cd_ofd_is_locked(int descriptor, int64_t start, int64_t length);

// --- Processes -------------------------------------------------------------------------------------------------

pid_t cd_fork(void);
/// Forks; the child is in the control group whose directory is open (clone3(2), CLONE_INTO_CGROUP, Linux 5.7) from the
/// start. For a process with a single thread.
pid_t cd_fork_into(int group);
int cd_pidfd_open(pid_t pid);
int cd_pidfd_send_signal(int pidfd, int signal);
int cd_close_range(unsigned int first, unsigned int last);
/// The wait status of `pid` split up: 1 exited with *code, 2 killed by signal *code, 3 stopped by *code, 0 otherwise.
int cd_wait_kind(int status, int *code);
int cd_set_name(const char *name);
int cd_set_dumpable(bool dumpable);
int cd_set_subreaper(bool on);
int cd_set_no_new_privileges(void);
int cd_set_parent_death_signal(int signal);
int cd_drop_bounding_capability(int capability);
int cd_clear_ambient_capabilities(void);
/// Empties the inheritable set: to a root program it would give back what the bounding set lost.
int cd_clear_inheritable_capabilities(void);
int cd_set_groups(size_t count, const gid_t *groups);
int cd_set_uids(uid_t uid);
int cd_set_gids(gid_t gid);
int cd_join_session_keyring(const char *name);
/// Replaces the memory that /proc/self/cmdline shows by `title` and blanks what /proc/self/environ shows.
///
/// `argv` and `environ` are the vectors that the kernel laid out at exec; only call it in a process that reads
/// neither of them any more.
void cd_retitle(char **argv, const char *title);
/// The same for a while; what was there, to be put back, or NULL where there was nothing to cover.
struct cd_title *cd_cover_title(char **argv, const char *title);
/// Puts back what was covered, and frees it.
void cd_uncover_title(struct cd_title *kept);

// --- Namespaces and mounts (unshare(2), setns(2), mount(2), fsopen(2), open_tree(2), mount_setattr(2)) ----------

extern const int cd_clone_newns, cd_clone_newpid, cd_clone_newuts, cd_clone_newipc, cd_clone_newuser,
    cd_clone_newcgroup, cd_clone_newnet;

int cd_unshare(int flags);
int cd_setns(int descriptor, int flags);
int cd_pivot_root(const char *new_root, const char *put_old);
int cd_sethostname(const char *name, size_t length);

enum {
    cd_mount_rdonly = 0x01,
    cd_mount_nosuid = 0x02,
    cd_mount_nodev = 0x04,
    cd_mount_noexec = 0x08,
    cd_mount_noatime = 0x10,
    cd_mount_strictatime = 0x20,
    cd_mount_atime_mask = 0x70,
    cd_mount_nodiratime = 0x80,
    cd_mount_idmap = 0x00100000,
    cd_mount_nosymfollow = 0x00200000,
};

int cd_fsopen(const char *type);
int cd_fsconfig_string(int context, const char *key, const char *value);
int cd_fsconfig_flag(int context, const char *key);
int cd_fsconfig_create(int context);
/// Attributes are `cd_mount_*`; the result is a detached mount.
int cd_fsmount(int context, unsigned int attributes);
/// A detached copy of the mount at `path`; `recursive` takes the mounts below with it.
int cd_open_tree_clone(int directory, const char *path, bool recursive);
int cd_move_mount(int from, int to_directory, const char *to_path);
/// Changes attributes of a mount, and of all below it when `recursive`. `propagation` is an MS_* value or 0.
int cd_mount_setattr(int directory, const char *path, bool recursive, uint64_t set, uint64_t clear,
                     uint64_t propagation, int user_namespace);

extern const unsigned long cd_ms_private, cd_ms_slave, cd_ms_shared;

// --- Terminals (ioctl_tty(2)) ----------------------------------------------------------------------------------

/// The peer of the pty master `master`, opened without a path (TIOCGPTPEER).
int cd_pty_peer(int master);
int cd_pty_unlock(int master);
/// Sends SIGINT, SIGQUIT or SIGTSTP to the foreground process group of the pty, as its keys would (TIOCSIG).
int cd_pty_signal(int master, int signal);
/// The number of the pty below /dev/pts, or -1.
int cd_pty_number(int master);
int cd_make_controlling(int terminal);
int cd_window_size(int terminal, unsigned short *rows, unsigned short *columns);
int cd_copy_window_size(int from, int to);

#endif
