// Sockets that have a name, and being told of changes in directories.
#ifndef CLINUX_DOORS_H
#define CLINUX_DOORS_H

#include <stdint.h>

/// A socket that listens under a name in a directory, for root alone; stream, close-on-exec, non-blocking (unix(7)).
int cd_listen_at(int directory, const char *name);
/// Connects to such a socket; close-on-exec.
int cd_connect_at(int directory, const char *name);
/// Takes one visitor in; close-on-exec, non-blocking.
int cd_accept(int socket);
/// The user at the other end of a connected socket (SO_PEERCRED), or -1.
int64_t cd_peer_user(int socket);

/// An inotify(7) descriptor, close-on-exec and non-blocking.
int cd_watcher(void);
/// Watches a directory for names that come, go or are written to.
int cd_watch(int watcher, int directory);

int cd_set_window_size(int terminal, unsigned short rows, unsigned short columns);

#endif
