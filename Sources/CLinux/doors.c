#include "clinux_doors.h"

#include <errno.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/// A name of a socket is short; a path by way of the directory's descriptor always fits.
static int address(int directory, const char *name, struct sockaddr_un *result) {
    *result = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int length = snprintf(result->sun_path, sizeof result->sun_path, "/proc/self/fd/%d/%s", directory, name);
    if (length > 0 && (size_t)length < sizeof result->sun_path) return 0;
    errno = ENAMETOOLONG;
    return -1;
}

static int fail(int fd) {
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

int cd_listen_at(int directory, const char *name) {
    struct sockaddr_un place;
    if (address(directory, name, &place) < 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    mode_t before = umask(0177);
    int result = bind(fd, (struct sockaddr *)&place, sizeof place);
    umask(before);
    if (result < 0 || listen(fd, 8) < 0) return fail(fd);
    return fd;
}

int cd_connect_at(int directory, const char *name) {
    struct sockaddr_un place;
    if (address(directory, name, &place) < 0) return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&place, sizeof place) < 0) return fail(fd);
    return fd;
}

int cd_accept(int socket) { return accept4(socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int64_t cd_peer_user(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ? -1 : (int64_t)peer.uid;
}

int cd_watcher(void) { return inotify_init1(IN_CLOEXEC | IN_NONBLOCK); }

int cd_watch(int watcher, int directory) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", directory);
    return inotify_add_watch(watcher, path, IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO);
}

int cd_set_window_size(int terminal, unsigned short rows, unsigned short columns) {
    struct winsize size = { .ws_row = rows, .ws_col = columns };
    return ioctl(terminal, TIOCSWINSZ, &size);
}
