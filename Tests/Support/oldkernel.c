// Runs a program as an older or a narrower kernel would: the named system calls are answered as if it lacked them.
//
//     oldkernel [-e ERRNO] CALL… -- PROGRAM ARG…
//
// CALL is a name of the table below, `4.14` (every call that is younger than Linux 4.14), `userns`, `pidns` and so on:
// a namespace that clone(2) and unshare(2) refuse with EINVAL, or `seccomp`: filters of the program's own.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
enum { architecture = AUDIT_ARCH_X86_64 };
#else
enum { architecture = AUDIT_ARCH_AARCH64 };
#endif

static const struct call { const char *name; int number; bool is_young; } calls[] = {
    { "statx", SYS_statx, false },
    { "pidfd_send_signal", 424, true }, { "io_uring_setup", 425, true }, { "open_tree", 428, true }, { "move_mount", 429, true },
    { "fsopen", 430, true }, { "fsconfig", 431, true }, { "fsmount", 432, true }, { "fspick", 433, true },
    { "pidfd_open", 434, true }, { "clone3", 435, true }, { "close_range", 436, true }, { "openat2", 437, true },
    { "pidfd_getfd", 438, true }, { "faccessat2", 439, true }, { "mount_setattr", 442, true }, { "fchmodat2", 452, true },
};

static const struct space { const char *name; unsigned int flag; } spaces[] = {
    { "userns", CLONE_NEWUSER }, { "pidns", CLONE_NEWPID }, { "utsns", CLONE_NEWUTS }, { "ipcns", CLONE_NEWIPC },
    { "cgroupns", 0x02000000 },
};

static struct sock_filter filter[512];
static unsigned short length;

static void add(unsigned short code, unsigned char yes, unsigned char no, unsigned int value) {
    filter[length++] = (struct sock_filter){ code, yes, no, value };
}

static void answer(int number, int code) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned int)number);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned int)code);
}

/// Refuses a call whose first argument has one of the flags.
static void refuse_flags(int number, unsigned int flags, int code) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (unsigned int)number);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[0]));
    add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, flags);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned int)code);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

int main(int argc, char **argv) {
    int code = ENOSYS, refusal = EINVAL, place = 1;
    unsigned int flags = 0;
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, architecture);
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    for (; place < argc && strcmp(argv[place], "--"); place++) {
        const char *word = argv[place];
        bool is_known = false;
        if (!strcmp(word, "-e") && place + 1 < argc) {
            code = refusal = atoi(argv[++place]);
            continue;
        }
        for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
            if (!strcmp(word, spaces[i].name)) { flags |= spaces[i].flag; is_known = true; }
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
            bool is_young = calls[i].is_young && !strcmp(word, "4.14");
            if (strcmp(word, calls[i].name) && !is_young) continue;
            // C libraries take no other answer to this one for "unknown", so that every sandbox gives it.
            answer(calls[i].number, calls[i].number == 435 ? ENOSYS : code);
            is_known = true;
        }
        if (!strcmp(word, "seccomp")) {
            answer(SYS_seccomp, EINVAL);
            add(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_prctl);
            add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args[0]));
            add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PR_SET_SECCOMP);
            add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EINVAL);
            add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
            is_known = true;
        }
        if (!is_known) { fprintf(stderr, "oldkernel: %s is not known\n", word); return 2; }
    }
    if (flags) {
        refuse_flags(SYS_unshare, flags, refusal);
        refuse_flags(SYS_clone, flags, refusal);
        // Its flags are behind a pointer, which a filter does not follow.
        answer(435, ENOSYS);
    }
    add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { length, filter };
    if (place + 1 >= argc) return 2;
    // As root without no_new_privs, so that setuid programs go on working below.
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) { perror("seccomp"); return 2; }
    execvp(argv[place + 1], argv + place + 1);
    perror(argv[place + 1]);
    return 127;
}
