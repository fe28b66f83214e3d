// Starting a guest's program in a running container.
#ifndef CLINUX_GUEST_H
#define CLINUX_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The step on the way that failed.
enum cd_guest_step {
    cd_guest_fork, cd_guest_group, cd_guest_namespaces, cd_guest_mounts, cd_guest_root, cd_guest_users,
    cd_guest_terminal, cd_guest_hostname, cd_guest_keyring, cd_guest_privileges, cd_guest_filter,
    cd_guest_capabilities, cd_guest_groups, cd_guest_group_id, cd_guest_user_id, cd_guest_directory,
    cd_guest_program,
};

/// What becomes of the child; everything in it is the caller's and stays as it is while the child has not ended or
/// become the guest's program. Descriptors are -1, and pointers NULL, for what the guest does not have.
struct cd_guest {
    /// An open directory of control groups (version 2) to be born into, and whether its limits count: then the child
    /// also goes into those of the other kind.
    int group;
    bool is_limited;
    const int *memberships;
    size_t membership_count;

    /// The process that keeps the container's namespaces, which must not end meanwhile: by pidfd and by number.
    int holder;
    pid_t holder_number;
    /// Those of its namespaces that are joined besides the mount namespace (CLONE_NEW*).
    int namespaces;
    int mount_namespace;
    /// The container's root directory in that mount namespace.
    int root;
    /// The container's user namespace, of which the child becomes root.
    int users;

    /// A terminal of the guest's own, in place of the standard descriptors that are terminals, or of all three.
    int terminal;
    bool takes_all;
    /// Without a terminal: a session of its own nevertheless (setsid(2)).
    bool has_session;
    /// Takes the place of standard output and error.
    int output;
    /// A host name for the guest alone, where it is not the container's.
    const char *hostname;

    /// Signals that the guest ignores; all others have their default action.
    const int *ignored;
    size_t ignored_count;

    /// Whether the caller's keyring must be gone.
    bool is_confined;
    bool has_no_new_privileges;
    /// A seccomp program (struct sock_filter).
    const void *filter;
    size_t filter_size;
    /// The capabilities that stay in the bounding set, one bit each.
    uint64_t capabilities;
    uid_t user;
    gid_t group_id;
    const gid_t *groups;
    size_t group_count;

    /// Where the program starts; -1 for the root. When it may not be entered, that is an error or the root will do.
    int directory;
    bool needs_directory;

    /// The paths to try, one after the other, with these arguments and variables.
    char *const *paths;
    char *const *arguments;
    char *const *variables;
    /// The arguments of `/bin/sh` for a script without `#!`, whose path the child puts in as element 1.
    char **script;
    /// Where no path leads to a program: this one, with these arguments, when it can be executed.
    const char *shell;
    char *const *shell_arguments;
};

/// How it failed.
struct cd_guest_failure {
    enum cd_guest_step step;
    int code;
    /// Of a program: which of `paths` it was, the number of paths for the shell, or -1 when there is none.
    int path;
};

/// Starts a guest's program.
///
/// The child has the caller's memory until it is the guest's program, where that can be had (vfork(2)): it allocates
/// nothing, takes no lock and leaves nothing changed, so that it may be killed at any moment. The caller waits meanwhile. Only for a process with a single thread. Returns the child, or -1 with
/// `*failure`; no child is left then.
pid_t cd_guest_start(const struct cd_guest *guest, struct cd_guest_failure *failure);

/// Puts a seccomp program (struct sock_filter) in force for this process and all that it becomes (seccomp(2)). EACCES
/// without CAP_SYS_ADMIN unless no_new_privs is set.
int cd_seccomp_load(const void *program, size_t size);

#endif
