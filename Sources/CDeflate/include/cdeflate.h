// libdeflate, loaded on first use where it is installed: three times as fast as zlib at the same size.
#ifndef CDEFLATE_H
#define CDEFLATE_H

#include <stddef.h>

typedef struct cd_deflate cd_deflate;

/// A compressor of the format of gzip (RFC 1952), for one thread; NULL where libdeflate is not installed.
cd_deflate *cd_deflate_new(int level);
void cd_deflate_free(cd_deflate *compressor);
/// Bytes that a member of `count` bytes may take.
size_t cd_deflate_bound(cd_deflate *compressor, size_t count);
/// Compresses `count` bytes into one member; the bytes that were written, or 0 when there is no room.
size_t cd_deflate_member(cd_deflate *compressor, const void *input, size_t count, void *output, size_t room);

#endif
