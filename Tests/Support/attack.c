// What a hostile guest root tries that busybox has no applet for; each line says how the kernel answered.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *what, long result) {
    printf("%s %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

/// A system call by its i386 number, from a 64-bit program.
static void old(const char *name, long number) {
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(-1L), "c"(0L), "d"(0L), "S"(0L), "D"(0L) : "memory", "r8", "r9", "r10", "r11");
    errno = (int)-result;
    say(name, result < 0 ? -1 : result);
#endif
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "hold")) {
        // On the host: runs a program with a key in its session keyring.
        syscall(SYS_keyctl, 1, NULL);
        if (syscall(SYS_add_key, "user", "canary", "secret", 6, -3) < 0) return 1;
        execvp(argv[2], argv + 2);
        return 1;
    } else if (!strcmp(what, "key")) {
        say("search", syscall(SYS_keyctl, 10, -3, "user", "canary", 0));
        say("request", syscall(SYS_request_key, "user", "canary", NULL, 0));
    } else if (!strcmp(what, "calls")) {
        say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
        say("bpf", syscall(SYS_bpf, 0, NULL, 0));
        say("io_uring_setup", syscall(SYS_io_uring_setup, 0, NULL));
        say("userfaultfd", syscall(SYS_userfaultfd, 0));
        say("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
        say("utimensat", syscall(SYS_utimensat, AT_FDCWD, ".", NULL, 0));
        old("i386 add_key", 286);
        old("i386 bpf", 357);
        old("i386 kexec_load", 283);
        old("i386 utimensat", 320);
#ifdef __x86_64__
        say("x32 keyctl", syscall(0x40000000 | SYS_keyctl, 0, -3, 0));
        say("x32 bpf", syscall(0x40000000 | SYS_bpf, 0, NULL, 0));
#endif
    } else if (!strcmp(what, "type")) {
        say("TIOCSTI", ioctl(0, 0x5412, "x"));
        say("TIOCSTI high", ioctl(0, 0x100005412ul, "x"));
        say("TIOCLINUX", ioctl(0, 0x541c, "\2"));
    } else if (!strcmp(what, "write")) {
        // For loader.c.
        FILE *report = fopen("/report", "a");
        for (int i = 0; i < 60; i++, usleep(50000)) {
            int file = open(argv[2], O_WRONLY);
            if (file < 0) continue;
            fprintf(report, "overwrote %s\n", write(file, "owned", 5) == 5 ? "it" : "nothing");
            break;
        }
        fclose(report);
    } else if (!strcmp(what, "groups")) {
        // Every hierarchy of the host, as who is inside finds it and from namespaces of their own.
        static const char *kinds[] = { "memory", "pids", "cpu", "cpuset", "devices", "freezer", "blkio" };
        for (int round = 0; round < 3; round++) {
            if (round == 1) say("namespace", unshare(CLONE_NEWCGROUP));
            if (round == 2) say("namespace with users", unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP));
            for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
                if (mount("none", "/var", "cgroup", 0, kinds[i]) == 0) printf("%d mounted %s\n", round, kinds[i]);
            if (mount("none", "/var", "cgroup2", 0, NULL) == 0) printf("%d mounted version 2\n", round);
        }
    } else if (!strcmp(what, "trace")) {
        say("attach", ptrace(PTRACE_ATTACH, atoi(argv[2]), 0, 0));
        say("seize", ptrace(PTRACE_SEIZE, atoi(argv[2]), 0, 0));
    } else if (!strcmp(what, "climb")) {
        // Out by any directory that is open.
        for (int fd = 0; fd < 256; fd++) {
            struct stat status;
            if (fstat(fd, &status) < 0) continue;
            if (S_ISDIR(status.st_mode)) printf("%d is a directory\n", fd);
            int up = openat(fd, "..", O_RDONLY | O_DIRECTORY);
            if (up >= 0) printf("%d leads out\n", fd);
            if (fd > 2 && fd != up) printf("%d is open\n", fd);
            if (up >= 0) close(up);
        }
    }
    return 0;
}
