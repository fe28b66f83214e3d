#include "cseccomp.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// What of libseccomp's interface is used; its numbers never change (seccomp_rule_add(3), seccomp_arch_add(3)).
enum { attribute_bad_architecture = 2, attribute_optimize = 8, masked_equal = 7 };
static const uint32_t allow = 0x7fff0000u, deny = 0x00050000u | EPERM;
struct comparison {
    unsigned int argument;
    int operation;
    uint64_t mask, value;
};

static struct {
    void *(*init)(uint32_t action);
    void (*release)(void *filter);
    int (*attribute)(void *filter, int attribute, uint32_t value);
    int (*architecture)(void *filter, uint32_t architecture);
    int (*number)(const char *name);
    int (*rule)(void *filter, uint32_t action, int number, unsigned int count, const struct comparison *comparisons);
    int (*export)(const void *filter, int file);
} library;
static bool is_loaded;

static bool find(void *handle, void **slot, const char *name) {
    *slot = dlsym(handle, name);
    return *slot != NULL;
}

static void load(void) {
    void *handle = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!handle) handle = dlopen("libseccomp.so", RTLD_NOW | RTLD_LOCAL);
    is_loaded = handle && find(handle, (void **)&library.init, "seccomp_init") &&
                find(handle, (void **)&library.release, "seccomp_release") &&
                find(handle, (void **)&library.attribute, "seccomp_attr_set") &&
                find(handle, (void **)&library.architecture, "seccomp_arch_add") &&
                find(handle, (void **)&library.number, "seccomp_syscall_resolve_name") &&
                find(handle, (void **)&library.rule, "seccomp_rule_add_array") &&
                find(handle, (void **)&library.export, "seccomp_export_bpf");
}

bool cd_seccomp_available(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}

/// The other ABIs that a kernel of this machine may run programs of (AUDIT_ARCH_* of linux/audit.h).
static const uint32_t others[] = {
#if defined(__x86_64__)
    0x40000003u /* i386 */, 0x4000003eu /* x32 */,
#elif defined(__i386__)
    0xc000003eu /* x86_64 */, 0x4000003eu /* x32 */,
#elif defined(__aarch64__)
    0x40000028u /* arm */,
#elif defined(__arm__)
    0xc00000b7u /* aarch64 */,
#endif
    0,
};

static int describe(void *filter, const struct cd_seccomp_rule *rules, size_t count) {
    // What runs in an ABI that is not named here has numbers that nothing is known of.
    int code = library.attribute(filter, attribute_bad_architecture, deny);
    // A tree instead of a list, where libseccomp knows that.
    library.attribute(filter, attribute_optimize, 2);
    for (const uint32_t *other = others; code == 0 && *other; other++) {
        code = library.architecture(filter, *other);
        if (code == -EEXIST || code == -EINVAL) code = 0;
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        // Some names have no number here but one in another ABI; the library goes by the name.
        int number = library.number(rules[i].name);
        if (number == -1) continue;
        const struct comparison comparison = {
            .argument = (unsigned int)rules[i].argument, .operation = masked_equal, .mask = UINT32_MAX, .value = rules[i].value,
        };
        bool any = rules[i].argument < 0;
        code = library.rule(filter, deny, number, any ? 0 : 1, any ? NULL : &comparison);
        if (code == -EDOM || code == -EEXIST) code = 0;
    }
    return code;
}

static int append(int program, const struct sock_filter *steps, size_t count) {
    size_t size = count * sizeof *steps;
    ssize_t written = write(program, steps, size);
    return written == (ssize_t)size ? 0 : written < 0 ? -errno : -EIO;
}

/// Writes what comes before the program of libseccomp: the calls that it is too old for.
static int precede(int program, const struct cd_seccomp_rule *rules, size_t count) {
    enum { most = 100 };
    struct sock_filter steps[most + 4];
    size_t length = 0;
    steps[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    // The numbers of x32 have this bit besides.
    steps[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~0x40000000u);
    for (size_t i = 0; i < count; i++) {
        if (rules[i].number == 0 || library.number(rules[i].name) != -1) continue;
        if (length == most) return -E2BIG;
        steps[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].number, 0, 0);
    }
    if (length == 2) return 0;
    // Each goes to the last step, which is passed over by the one before it.
    for (size_t i = 2; i < length; i++) steps[i].jt = (unsigned char)(length - i);
    steps[length++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
    steps[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, deny);
    return append(program, steps, length);
}

int cd_seccomp_make(const struct cd_seccomp_rule *rules, size_t count, int program) {
    if (!cd_seccomp_available()) {
        errno = ENOSYS;
        return -1;
    }
    void *filter = library.init(allow);
    if (!filter) {
        errno = ENOMEM;
        return -1;
    }
    int code = describe(filter, rules, count);
    if (code == 0) code = precede(program, rules, count);
    if (code == 0) code = library.export(filter, program);
    library.release(filter);
    errno = -code;
    return code == 0 ? 0 : -1;
}
