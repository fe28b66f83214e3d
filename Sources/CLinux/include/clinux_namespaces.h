// User namespaces, and what a process needs that is the first of its PID namespace.
#ifndef CLINUX_NAMESPACES_H
#define CLINUX_NAMESPACES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// A new user namespace with these maps, as a descriptor (user_namespaces(7)). Only for a process with one thread.
int cd_user_namespace(const char *users, const char *groups);

/// Joins the namespaces of `pid` in `flags`, among PID, UTS, IPC, cgroup and mount namespaces (setns(2)).
int cd_join_namespaces(pid_t pid, int flags);

/// Opens the user namespace that a namespace of another kind belongs to (ioctl_ns(2)).
int cd_users_of(int namespace);

/// Lets files be made as this user and group while all capabilities stay (setfsuid(2), PR_SET_SECUREBITS).
int cd_make_files_as(uid_t uid, gid_t gid);

/// Makes this process an init: the kernel reaps its children, and what it is told by TERM, INT, QUIT, HUP, USR1 or
/// USR2 it tells every process in its PID namespace.
int cd_become_init(void);

/// The calling process's host name is already this one.
bool cd_hostname_is(const char *name);

/// Gives memory back that is not needed while waiting: free heap, and pages of files that can be read again.
void cd_shed_memory(void);

/// Has the kernel give this process at once the memory that each start uses (MADV_POPULATE_WRITE, Linux 5.14): asking for
/// it page by page takes several times as long.
void cd_expect_memory(void);

#endif
