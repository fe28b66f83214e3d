// The inflate and CRC-32 of Intel's storage library (ISA-L), which is loaded on first use where it is installed.
//
// Every name starts with `cd_`.
#ifndef CISAL_H
#define CISAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether the library was known when this was built and is there now. Safe to call from several threads.
bool cd_isal_available(void);

typedef struct cd_isal cd_isal;

/// A decoder of raw DEFLATE data (RFC 1951), or NULL.
cd_isal *cd_isal_new(void);
void cd_isal_free(cd_isal *decoder);
/// Makes it ready for another stream.
void cd_isal_reset(cd_isal *decoder);

/// Decodes from `input` to `output` and reduces both counts to what is left.
///
/// 1: the stream has ended; 0: more input or room is needed; -1: the data is damaged.
int cd_isal_inflate(cd_isal *decoder, const uint8_t *input, size_t *input_left, uint8_t *output, size_t *output_left);

/// The bytes that the decoder took beyond the end of the stream: at most 8, into `bytes`.
size_t cd_isal_take_rest(cd_isal *decoder, uint8_t *bytes);

/// The CRC-32 of gzip (RFC 1952), continued from `crc`.
uint32_t cd_isal_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

#endif
