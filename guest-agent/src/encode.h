/* Writes a frame and its fields into a buffer whose room the caller has checked. */
#ifndef PYRO_ENCODE_H
#define PYRO_ENCODE_H

#include <stdbool.h>

#include "decode.h"

struct writer {
  uint8_t *at;
  uint8_t *frame; /* its first byte */
  size_t room;    /* bytes left, the end byte's kept back */
  bool full;      /* something did not fit: frame_finish gives 0 */
};

/* Begins a frame in `size` bytes at `to`. */
struct writer frame_begin(void *to, size_t size, uint32_t stream, uint8_t kind);
/* Ends it; its whole length, or 0 when it did not fit. */
size_t frame_finish(struct writer *writer);

void put_u8(struct writer *writer, uint8_t value);
void put_u16(struct writer *writer, uint16_t value);
void put_u32(struct writer *writer, uint32_t value);
void put_u64(struct writer *writer, uint64_t value);
void put_raw(struct writer *writer, const void *data, size_t size);
void put_bytes(struct writer *writer, const void *data, size_t size);
void put_str(struct writer *writer, const char *str);

/* Puts the head of a frame of `length` payload bytes at `to` (FRAME_HEADER bytes). */
void put_header(uint8_t *to, size_t length, uint32_t stream, uint8_t kind);

#endif
