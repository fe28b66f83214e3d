// A filter of system calls by libseccomp, which is loaded when the first filter is made.
#ifndef CSECCOMP_H
#define CSECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether libseccomp is there (Debian: libseccomp2).
bool cd_seccomp_available(void);

/// A system call that is denied: by its name, with `argument` -1, or only where the low 32 bits of that argument are
/// `value`.
///
/// Since Linux 5.1 a new call has one number everywhere, from 424 on. With that `number` it is denied whatever the
/// arguments even where libseccomp is older than the call and knows no such name; else it is 0.
struct cd_seccomp_rule {
    const char *name;
    int argument;
    uint32_t value;
    uint32_t number;
};

/// Makes a filter that answers these calls with EPERM, by each number that the call has in any ABI of this machine's
/// kernel, and allows all others; writes it as a program (struct sock_filter) into `program`, an open file.
///
/// 0, or -1 with errno.
int cd_seccomp_make(const struct cd_seccomp_rule *rules, size_t count, int program);

#endif
